"""Published models out of `models/`, with their recipes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import onnx

from satchel_models import convert, interface, sentences, source
from satchel_models import graph as graphs
from satchel_models.bert import Dimensions, load
from satchel_models.bert_int8 import Int8Encoder
from satchel_models.convert import Original, recipes
from satchel_models.convert.graphs import specs
from satchel_models.data import Dataset, Preprocessing
from satchel_models.data import load as load_data
from satchel_models.embed_recipe import EmbedRecipe
from satchel_models.label_recipe import LabelRecipe
from satchel_models.steps import Candidate, Converted, Quantised
from satchel_models.subjects.faces import refaced
from satchel_models.tools import Progress, Tools

ORIGINALS = Path(".cache/originals")
"""Where packages with published weights are kept."""

FUSED = "int8-dynamic-fused"


@dataclass(frozen=True)
class Label:
    """A published classifier out of `models/`."""

    recipe: LabelRecipe
    cache: Path = ORIGINALS

    @property
    def name(self) -> str:
        """The recipe's."""
        return self.recipe.id

    @property
    def facts(self) -> Sequence[object]:
        """What the recipe says of the original and of the face."""
        return [self.recipe.source, self.recipe.export, self.recipe.preprocess]

    @property
    def files(self) -> Sequence[Path]:
        """The published weights."""
        return [source.weights(self.recipe.source, self.cache)]

    @property
    def original(self) -> Original:
        """The network alone."""
        return recipes.original(self.recipe, self.cache)

    @property
    def ranges(self) -> Mapping[str, tuple[float, float]] | None:
        """What photos gave when the artefact was made, where that is kept beside the recipe."""
        return self.recipe.ranges()

    def convert(self, out: Path, tools: Tools, progress: Progress) -> Converted:
        """Convert the weights with their network, and put photos in front of it."""
        converted = convert.convert(self.original, out, tools, progress)
        model = onnx.load(converted.file)
        faced = interface.with_interface(model, self.recipe.export, self.recipe.preprocess)
        return replace(
            refaced(converted, faced),
            face=interface.face(self.recipe.export, self.recipe.preprocess),
        )

    def dataset(
        self, data: Path | None, calibration: Path | None, converted: Converted, seed: int
    ) -> Dataset:
        """Photos as the page prepares them."""
        how = Preprocessing.of(self.recipe.preprocess)
        return load_data(data, converted, calibration=calibration, preprocessing=how, seed=seed)

    def with_own(self, found: Quantised, _out: Path) -> Quantised:
        """Nothing."""
        return found


@dataclass(frozen=True)
class Embed:
    """A published sentence encoder out of `models/`."""

    recipe: EmbedRecipe
    cache: Path = ORIGINALS

    @property
    def name(self) -> str:
        """The recipe's."""
        return self.recipe.id

    @property
    def facts(self) -> Sequence[object]:
        """What the recipe says of the original."""
        return [self.recipe.source, self.recipe.encoding]

    @property
    def files(self) -> Sequence[Path]:
        """The published weights, and what describes them."""
        found = sentences.originals(self.recipe, self.cache)
        return [found.weights, found.config]

    @property
    def original(self) -> None:
        """None: the graph is built of the weights."""

    @property
    def ranges(self) -> None:
        """None."""

    def convert(self, out: Path, tools: Tools, progress: Progress) -> Converted:
        """Build the graph from the weights."""
        del tools, progress  # it takes seconds, and nothing but NumPy
        file = out / "converted.onnx"
        file.write_bytes(sentences.original(self.recipe, self.cache))
        model = onnx.load(file)
        tokens = min(64, self.recipe.encoding.max_tokens)
        return Converted(
            file=file,
            origin="Hugging Face BERT, safetensors",
            inputs=specs(model.graph.input, file),
            outputs=specs(model.graph.output, file),
            opset=next(one.version for one in model.opset_import if not one.domain),
            nodes=len(model.graph.node),
            examples=((1, tokens), (1, tokens)),
        )

    def dataset(
        self, data: Path | None, calibration: Path | None, converted: Converted, seed: int
    ) -> Dataset:
        """Texts as the page splits them."""
        whole = sentences.originals(self.recipe, self.cache).tokenizer
        with tempfile.TemporaryDirectory() as folder:
            # What the recipe promises, not what the package cuts texts to.
            kept = Path(folder) / "tokenizer.txt"
            text = sentences.tokenizer_text(whole, self.recipe.encoding.max_tokens)
            kept.write_text(text, "utf-8", newline="\n")
            return load_data(data, converted, calibration=calibration, tokenizer=kept, seed=seed)

    def with_own(self, found: Quantised, out: Path) -> Quantised:
        """The encoder built of the engine's fused operators, which no tool makes of a graph."""
        files = sentences.originals(self.recipe, self.cache)
        encoder = Int8Encoder(
            load(files.weights), Dimensions.read(files.config), self.recipe.encoding.max_tokens
        )
        variant = self.recipe.variants[0]
        file = out / f"{FUSED}.onnx"
        file.write_bytes(
            graphs.canonical(encoder.sentences()).SerializeToString(deterministic=True)
        )
        own = Candidate(
            name=FUSED,
            engine="onnxruntime",
            file=file,
            session=variant.session,
            size=file.stat().st_size,
            method="Matrix products in uint8, the table of words in int8, built from the weights "
            "with the engine's fused operators.",
        )
        return replace(found, candidates=(*found.candidates, own))
