"""The recipe of a model of one's own: a file, what it is for, and how photos or texts go into it.

`build.py new` writes one. `build.py optimize` makes the file small and keeps what came of it in the
folder `artefact` beside the recipe (`satchel_models.artefact`), where builds and releases find it.

    id = "digits"
    task = "label"
    title = "Digits"
    version = "1.0.0"
    changelog = "First release."

    [source]
    file = "../../digits.onnx"

    [label]
    labels = "labels.txt"
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from satchel_models import artefact
from satchel_models.errors import RecipeError
from satchel_models.own_tables import OwnSource, Photo, Tensors, Text
from satchel_models.recipe import Evaluation, Notice, Recipe, Rule, Variant

_EXAMPLE = re.compile(r"\d+(x\d+)*:[a-z]+\d*")


@dataclass(frozen=True, kw_only=True)
class OwnRecipe(Recipe):
    """What the recipe of a model of one's own says, whatever it is for.

    Attributes:
        licence: SPDX identifier; "NOASSERTION" says nothing (SPDX 2.3, 7.13).
    """

    licence: str = "NOASSERTION"
    notices: tuple[Notice, ...] = ()
    evaluation: Evaluation = field(default_factory=lambda: Evaluation("", "", {}))
    source: OwnSource
    variants: tuple[Variant, ...] = field(default=(), metadata={"table": False})
    files: dict[str, str] = field(default_factory=dict, metadata={"table": False})

    @property
    def original(self) -> Path:
        """Where the original is."""
        return self.folder / self.source.file

    @property
    def reads(self) -> tuple[str, ...]:
        """The files in its folder that say what it is."""
        return (*super().reads, artefact.RECORD)

    @property
    def made_from(self) -> str:
        """A hash of the original and of all that the recipe says of it.

        Raises:
            RecipeError: There is no original.
        """
        if not self.original.exists():
            raise RecipeError(
                f"There is no model at {self.original}. Put it there, or correct `file` in the "
                f"[source] of {self.folder / 'recipe.toml'}."
            )
        from satchel_models.caching import digest  # recipes are read before it can be imported

        facts = repr((self.task, self.source, self.interface))
        return hashlib.sha256(f"{facts}\0{digest(self.original)}".encode()).hexdigest()

    @property
    def interface(self) -> object:
        """What goes into the graph beside the network: the table named by the task."""
        return getattr(self, self.task)

    @property
    def is_stale(self) -> bool:
        """Whether the artefact is another original's: that one has changed since."""
        kept = artefact.read(self.folder)
        return kept is not None and self.original.exists() and kept.made_from != self.made_from

    def texts(self) -> dict[str, str]:
        """Files that the artefact needs beside the model: their text, by name.

        Raises:
            ModelError: They can't be made.
        """
        return {}

    def complete(self) -> Self:
        """The recipe with its artefact's variants, where there is one."""
        kept = artefact.read(self.folder)
        if kept is None:
            return self
        return replace(self, variants=kept.variants, files=self.files | kept.files)

    def rules(self) -> list[Rule]:
        """What types cannot say."""
        examples = all(map(_EXAMPLE.fullmatch, self.source.inputs.values()))
        return [
            *super().rules(),
            (self.source.file, "source.file", "a path"),
            (examples, "source.inputs", 'like "1x3x224x224:float32"'),
        ]

    def variant_rules(self) -> list[Rule]:
        """None: there are no variants before `optimize` has made them."""
        return []


@dataclass(frozen=True, kw_only=True)
class OwnLabelRecipe(OwnRecipe):
    """A classifier of photos."""

    label: Photo

    @property
    def crop(self) -> float:
        """Part of a photo's shorter side that the model sees."""
        return self.label.crop

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes' names.

        Raises:
            RecipeError: There is no such file, or it is empty.
        """
        path = self.folder / self.label.labels
        try:
            names = tuple(path.read_text("utf-8").splitlines())
        except OSError as error:
            raise RecipeError(
                f"The labels of {self.id} can't be read: {path}: {error.strerror}. Write the "
                "classes' names into it, one a line, in the order of the model's output."
            ) from error
        if not names:
            raise RecipeError(f"{path} is empty: write the classes' names into it, one a line.")
        return names

    def complete(self) -> Self:
        """The recipe with its artefact's variants, and its labels as a file of the model."""
        whole = super().complete()
        return replace(whole, files={**whole.files, "labels": self.label.labels})

    def rules(self) -> list[Rule]:
        """What types cannot say."""
        photo = self.label
        inside = not Path(photo.labels).is_absolute() and ".." not in Path(photo.labels).parts
        return [
            *super().rules(),
            (inside and Path(photo.labels).name, "label.labels", "a file beside the recipe"),
            (len(photo.mean) in (1, 3), "label.mean", "one number, or one for each channel"),
            (len(photo.scale) in (1, 3), "label.scale", "one number, or one for each channel"),
            (all(photo.scale), "label.scale", "other than 0"),
            (0 < photo.crop <= 1, "label.crop", "above 0 and at most 1"),
            (
                len(photo.size) <= 2 and all(side > 0 for side in photo.size),
                "label.size",
                "height and width in pixels, or one number for both",
            ),
        ]


@dataclass(frozen=True, kw_only=True)
class OwnEmbedRecipe(OwnRecipe):
    """A sentence encoder."""

    embed: Text

    def texts(self) -> dict[str, str]:
        """The tokenizer's data."""
        from satchel_models.vocabulary import tokenizer_text

        return {"tokenizer": tokenizer_text(self.folder / self.embed.vocabulary, self.embed)}

    def rules(self) -> list[Rule]:
        """What types cannot say."""
        return [
            *super().rules(),
            (self.embed.max_tokens > 2, "embed.max_tokens", "above 2"),
        ]


@dataclass(frozen=True, kw_only=True)
class TensorsRecipe(OwnRecipe):
    """Any model, with its tensors as they are."""

    tensors: Tensors = field(default_factory=Tensors)

    def rules(self) -> list[Rule]:
        """What types cannot say."""
        sizes = self.tensors.sizes
        return [
            *super().rules(),
            (all(size > 0 for size in sizes.values()), "tensors.sizes", "above 0"),
            (all(re.fullmatch(r"\S+", name) for name in sizes), "tensors.sizes", "by axis' name"),
        ]
