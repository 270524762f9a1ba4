"""A model of one's own, with its recipe."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import onnx

from satchel_models import convert, own_interface
from satchel_models.convert import Original
from satchel_models.data import Dataset, Preprocessing
from satchel_models.data import load as load_data
from satchel_models.own_recipe import OwnEmbedRecipe, OwnLabelRecipe, OwnRecipe
from satchel_models.photo_shape import size
from satchel_models.steps import Converted, Quantised
from satchel_models.subjects.faces import refaced
from satchel_models.subjects.file import example
from satchel_models.tools import Progress, Tools


@dataclass(frozen=True)
class Own:
    """A model of one's own, with the face that its task needs.

    Attributes:
        recipe: What it says.
        trust: Whether loading may run code that is in the original's file.
    """

    recipe: OwnRecipe
    trust: bool = False

    @property
    def name(self) -> str:
        """The recipe's."""
        return self.recipe.id

    @property
    def original(self) -> Original:
        """The original, and what its file doesn't say."""
        said = self.recipe.source
        inputs = {name: example(text) for name, text in said.inputs.items()}
        return Original(
            self.recipe.original,
            factory=said.factory or None,
            places=(self.recipe.folder,),
            trust=self.trust,
            inputs=inputs or None,
        )

    @property
    def facts(self) -> Sequence[object]:
        """What the recipe says of the original and of the face."""
        return [self.recipe.source, self.recipe.task, self.recipe.interface]

    @property
    def files(self) -> Sequence[Path]:
        """The original."""
        convert.recognise(self.recipe.original)  # says what is wrong with it, if anything
        return [self.recipe.original]

    @property
    def ranges(self) -> None:
        """None: data calibrates."""

    def convert(self, out: Path, tools: Tools, progress: Progress) -> Converted:
        """Convert the original, and put the face on."""
        converted = convert.convert(self.original, out, tools, progress)
        model = onnx.load(converted.file)
        faced = refaced(converted, own_interface.with_interface(model, self.recipe))
        face = own_interface.face(model, self.recipe, converted.examples[0])
        if face is not None:
            given, got = faced.inputs[0].name, faced.outputs[0].name
            face = replace(face, image=given, probabilities=got)
        return replace(faced, face=face)

    def dataset(
        self, data: Path | None, calibration: Path | None, converted: Converted, seed: int
    ) -> Dataset:
        """Data as the page will prepare it."""
        how, kept = None, None
        if isinstance(self.recipe, OwnLabelRecipe):
            sides = size(self.recipe.label) or converted.examples[0][1:3]
            how = Preprocessing(resize=round(min(sides) / self.recipe.crop))
        with tempfile.TemporaryDirectory() as folder:
            if isinstance(self.recipe, OwnEmbedRecipe):
                kept = Path(folder) / "tokenizer.txt"
                kept.write_text(self.recipe.texts()["tokenizer"], "utf-8", newline="\n")
            return load_data(
                data, converted, calibration=calibration, preprocessing=how, tokenizer=kept,
                seed=seed,
            )  # fmt: skip

    def with_own(self, found: Quantised, _out: Path) -> Quantised:
        """Nothing."""
        return found
