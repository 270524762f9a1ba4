"""The recipe of a label model: a PyTorch classifier, exported and stored small."""

import json
import re
from dataclasses import dataclass

from satchel_models.errors import RecipeError
from satchel_models.recipe import Recipe, Rule, digest, pinned


@dataclass(frozen=True)
class TorchSource:
    """The original: code and weights out of packages that pip installs.

    Attributes:
        packages: Exact requirements (`name==version`), those with the code and the weights.
        model: `module:callable` that makes the torch module, called with `arguments`.
        arguments: Positional arguments of that callable.
        weights: Path of the weights inside site-packages, with forward slashes.
        sha256: Of the weights file, 64 hexadecimal digits.
    """

    packages: tuple[str, ...]
    model: str
    arguments: tuple[str, ...]
    weights: str
    sha256: str


@dataclass(frozen=True)
class Export:
    """The graph's outer shape.

    Attributes:
        opset: ONNX operator set of the exported graph.
        trace: Height and width (pixels) that the export runs with; both stay dynamic.
        side_multiple: Heights and widths are multiples of this (pixels): padding is static.
        input: Name of the input, uint8 [batch, height, width, 3], RGB.
        output: Name of the output, float32 [batch, classes], probabilities.
        classes: Number of classes.
    """

    opset: int
    trace: tuple[int, ...]
    side_multiple: int
    input: str
    output: str
    classes: int


@dataclass(frozen=True)
class Preprocess:
    """From photo to network: `resize` and `crop` outside, `(x - mean) / scale` in the graph.

    Attributes:
        resize: Length of the photo's shorter side (pixels) for a crop of `crop` pixels.
        crop: Side of the centre crop (pixels).
        mean: Subtracted from each uint8 value: a whole number, 0 … 255.
        scale: What the difference is divided by.
    """

    resize: int
    crop: int
    mean: int
    scale: float


@dataclass(frozen=True)
class Quantise:
    """What comes of quantising: which candidate, the variant's name says.

    Attributes:
        max_bytes: The artefacts' size limit (bytes).
        ranges: Ranges of activations by tensor, as photos gave them: with this file (JSON) int8 is
            made again without the photos. "" for none.
    """

    max_bytes: int
    ranges: str = ""


@dataclass(frozen=True, kw_only=True)
class LabelRecipe(Recipe):
    """All that a label model's `recipe.toml` says."""

    source: TorchSource
    export: Export
    preprocess: Preprocess
    quantise: Quantise

    def ranges(self) -> dict[str, tuple[float, float]] | None:
        """What photos gave when the artefact was calibrated; None: that isn't kept.

        Raises:
            RecipeError: The file can't be read.
        """
        if not self.quantise.ranges:
            return None
        path = self.folder / self.quantise.ranges
        try:
            found = json.loads(path.read_text("utf-8"))
            return {name: (float(low), float(high)) for name, (low, high) in found.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise RecipeError(
                f"{path} can't be read as ranges by tensor ({error}). Make it anew: python3 "
                f"build.py models --rebuild {self.id} --data DIR"
            ) from error

    def rules(self) -> list[Rule]:
        """What types cannot say."""
        return [
            *super().rules(),
            digest(self.source.sha256, "source.sha256"),
            pinned(self.source.packages),
            (re.fullmatch(r"[\w.]+:[\w.]+", self.source.model), "source.model", "module:callable"),
            (len(self.export.trace) == 2, "export.trace", "height and width"),
            (0 <= self.preprocess.mean <= 255, "preprocess.mean", "0 … 255"),
            (self.preprocess.scale > 0, "preprocess.scale", "above 0"),
            (
                all(v.golden for v in self.variants if v.engine == "onnxruntime"),
                "variants.golden",
                "there for onnxruntime",
            ),
            (
                all(len(v.resolutions) == 1 for v in self.variants if v.engine == "litert"),
                "variants.resolutions",
                "the one side of photos that a file for litert takes",
            ),
        ]
