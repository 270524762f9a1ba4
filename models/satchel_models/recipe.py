"""A model's `recipe.toml`: where it comes from, how it is made, what it promises.

Standard library only, since the site builder reads recipes before anything is installed.

>>> recipe = Recipe.load(Path("models/efficientnet-lite0"))  # doctest: +SKIP
>>> recipe.variant("int8-weights").engine  # doctest: +SKIP
'onnxruntime'
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from satchel_models.errors import RecipeError
from satchel_models.tables import read_table

RECIPE_FILE = "recipe.toml"


@dataclass(frozen=True)
class Source:
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
    """How weights are stored: see `satchel_models.quantise`.

    Attributes:
        half_up_to: Tensors with at most this many weights are stored as float16.
        max_bytes: The artefact's size limit (bytes).
    """

    half_up_to: int
    max_bytes: int


@dataclass(frozen=True)
class Session:
    """Options that the engine's session needs for this file."""

    graph_optimization_level: Literal["disabled", "basic", "extended", "all"]
    config: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Variant:
    """One file that a device can run.

    Attributes:
        name: Unique within the recipe.
        engine: The inference engine that it is for.
        file: The artefact, beside the recipe.
        golden: Inputs with known outputs (`.npz`), beside the recipe.
        resolutions: Sides of square inputs (pixels) that it was measured with.
        session: Options for the engine.
    """

    name: str
    engine: Literal["onnxruntime", "litert"]
    file: str
    golden: str
    resolutions: tuple[int, ...]
    session: Session


@dataclass(frozen=True)
class Notice:
    """Somebody else's work inside the model, and the terms it comes with.

    Attributes:
        name: Package or project.
        version: Its version.
        covers: What of it is here, in words.
        licence: SPDX identifier.
        file: The licence's text, beside the recipe.
    """

    name: str
    version: str
    covers: str
    licence: str
    file: str


@dataclass(frozen=True)
class Evaluation:
    """What was measured, on which data, by which command.

    Attributes:
        data: The data, in words.
        command: The command that gave the figures.
        figures: Name → value; accuracies are fractions of 1.
    """

    data: str
    command: str
    figures: dict[str, float]


@dataclass(frozen=True)
class Recipe:
    """All that `recipe.toml` says. `folder` is where the files it names lie."""

    id: str
    task: str
    title: str
    version: str
    changelog: str
    licence: str
    source: Source
    export: Export
    preprocess: Preprocess
    quantise: Quantise
    variants: tuple[Variant, ...]
    files: dict[str, str]
    notices: tuple[Notice, ...]
    evaluation: Evaluation
    folder: Path = field(default=Path(), metadata={"table": False})

    @classmethod
    def load(cls, folder: Path) -> "Recipe":
        """Read `folder/recipe.toml`.

        Raises:
            RecipeError: no such file, no TOML, a field unknown, missing or of another type.
        """
        path = folder / RECIPE_FILE
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            message = f"{path} cannot be read: {error.strerror}. A model's folder needs a recipe."
            raise RecipeError(message) from error
        return cls.parse(text, folder)

    @classmethod
    def parse(cls, text: str, folder: Path) -> "Recipe":
        """Parse the text of a recipe whose files lie in `folder`."""
        path = folder / RECIPE_FILE
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(f"{path} is not TOML: {error}") from error
        recipe = read_table(cls, table, str(path), {"folder": folder})
        _check(recipe, path)
        return recipe

    def variant(self, name: str) -> Variant:
        """The variant called `name`."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        known = ", ".join(variant.name for variant in self.variants)
        raise RecipeError(f"{self.id} has no variant {name!r}; it has {known}.")


def _check(recipe: Recipe, path: Path) -> None:
    """What types cannot say."""
    names = [variant.name for variant in recipe.variants]
    inside = [*recipe.files.values(), *(notice.file for notice in recipe.notices)]
    for variant in recipe.variants:
        inside += [variant.file, variant.golden]
    rules = [
        (re.fullmatch(r"[a-z0-9][a-z0-9.-]*", recipe.id), "id", "lower case, digits, '-' and '.'"),
        (re.fullmatch(r"\d+\.\d+\.\d+", recipe.version), "version", "three numbers with points"),
        (re.fullmatch(r"[0-9a-f]{64}", recipe.source.sha256), "source.sha256", "64 hex digits"),
        (re.fullmatch(r"[\w.]+:[\w.]+", recipe.source.model), "source.model", "module:callable"),
        (
            all("==" in package for package in recipe.source.packages),
            "source.packages",
            "name==version, so that a rebuild finds the same original",
        ),
        (len(recipe.export.trace) == 2, "export.trace", "height and width"),
        (0 <= recipe.preprocess.mean <= 255, "preprocess.mean", "0 … 255"),
        (recipe.preprocess.scale > 0, "preprocess.scale", "above 0"),
        (names and len(set(names)) == len(names), "variants", "at least one, names all different"),
        (
            all(Path(name).name and ".." not in Path(name).parts for name in inside)
            and not any(Path(name).is_absolute() for name in inside),
            "files, notices and variants",
            "file names beside the recipe",
        ),
    ]
    for holds, name, expected in rules:
        if not holds:
            raise RecipeError(f"{path}: {name} must be {expected}.")
