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
from typing import Any, Literal, Self

from satchel_models.errors import RecipeError
from satchel_models.tables import read_table

RECIPE_FILE = "recipe.toml"

NEEDS = ("relaxed-simd", "threads")
"""What a variant may need of a device: the features that Satchel's platforms tell."""

Rule = tuple[object, str, str]
"""Whether it holds, which field, and what is expected of it."""


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
        file: The artefact, where the recipe's `artefacts` says.
        session: Options for the engine.
        patch: What makes its file of `file`, which is another variant's (JSON, see
            `satchel_models.patch`), in the same place; "" for nothing.
        golden: Inputs with known outputs (`.npz`), in the same place; "" for none.
        resolutions: Sides of square inputs (pixels) that it was measured with.
        needs: What a device must have for it: "relaxed-simd", "threads". One that lacks some of it
            uses the next variant that it can.
        accuracy: Its own figures, as fractions of 1; none: the first variant's are those of the
            recipe's evaluation.
        latency_ms: Measured milliseconds for one inference.
        cpu_seconds: Measured processor seconds for one inference.
    """

    name: str
    engine: Literal["onnxruntime", "litert"]
    file: str
    session: Session
    patch: str = ""
    golden: str = ""
    resolutions: tuple[int, ...] = ()
    needs: tuple[str, ...] = ()
    accuracy: dict[str, float] = field(default_factory=dict)
    latency_ms: float | None = None
    cpu_seconds: float | None = None


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


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What every recipe says, whatever it is for; a task's own recipe says more.

    Attributes:
        id: Names the model; so does its folder.
        task: What it is for: decides, with the source, which of `kinds` the recipe is.
        title: For people.
        version: Of the model, three numbers.
        changelog: What this version is about.
        licence: SPDX identifier.
        artefacts: Where the variants' and `files`' files are: "committed" beside the recipe, or
            "made" from the source at first need and kept in the cache.
        variants: Best first.
        files: What else the task needs, by name.
        notices: Whose work is inside.
        evaluation: What was measured.
        folder: Where recipe.toml is.
    """

    id: str
    task: str
    title: str
    version: str
    changelog: str
    licence: str
    artefacts: Literal["committed", "made"] = "committed"
    variants: tuple[Variant, ...]
    files: dict[str, str]
    notices: tuple[Notice, ...]
    evaluation: Evaluation
    folder: Path = field(default=Path(), metadata={"table": False})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `folder/recipe.toml`.

        Raises:
            RecipeError: no such file, no TOML, a field unknown, missing or of another type, or a
                recipe for another task than this class's.
        """
        path = folder / RECIPE_FILE
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            message = f"{path} cannot be read: {error.strerror}. A model's folder needs a recipe."
            raise RecipeError(message) from error
        return cls.parse(text, folder)

    @classmethod
    def parse(cls, text: str, folder: Path) -> Self:
        """Parse the text of a recipe whose files lie in `folder`."""
        path = folder / RECIPE_FILE
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(f"{path} is not TOML: {error}") from error
        kind = _kind(table, path)
        if not issubclass(kind, cls):
            raise RecipeError(f"{path} is a recipe for {table['task']!r}, not what is needed here.")
        recipe = read_table(kind, table, str(path), {"folder": folder})
        for holds, name, expected in recipe.rules():
            if not holds:
                raise RecipeError(f"{path}: {name} must be {expected}.")
        return recipe.complete()

    def variant(self, name: str) -> Variant:
        """The variant called `name`."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        known = ", ".join(variant.name for variant in self.variants)
        raise RecipeError(f"{self.id} has no variant {name!r}; it has {known}.")

    def complete(self) -> Self:
        """The recipe with what its table leaves to other files; most leave nothing."""
        return self

    @property
    def reads(self) -> tuple[str, ...]:
        """The files in its folder that say what it is."""
        return (RECIPE_FILE,)

    @property
    def crop(self) -> float | None:
        """Part of a photo's shorter side that the model sees; None: what its task takes."""
        return None

    def rules(self) -> list[Rule]:
        """What types cannot say."""
        inside = [*self.files.values(), *(notice.file for notice in self.notices)]
        for variant in self.variants:
            inside += [variant.file, *filter(None, (variant.golden, variant.patch))]
        return [
            (re.fullmatch(r"[a-z0-9][a-z0-9.-]*", self.id), "id", "lower case, digits, '-', '.'"),
            (re.fullmatch(r"\d+\.\d+\.\d+", self.version), "version", "three numbers with points"),
            *self.variant_rules(),
            (
                all(need in NEEDS for variant in self.variants for need in variant.needs),
                "variants.needs",
                f"among {', '.join(NEEDS)}",
            ),
            (
                all(Path(name).name and ".." not in Path(name).parts for name in inside)
                and not any(Path(name).is_absolute() for name in inside),
                "files, notices and variants",
                "file names beside the recipe",
            ),
        ]

    def variant_rules(self) -> list[Rule]:
        """What types cannot say of its variants."""
        names = [variant.name for variant in self.variants]
        different = names and len(set(names)) == len(names)
        return [(different, "variants", "at least one, names all different")]


def kinds(own: bool) -> dict[str, type[Recipe]]:
    """The recipes that there are, by task.

    Args:
        own: Those whose original is a file of somebody's own, or those whose original comes out of
            packages.
    """
    if own:
        from satchel_models.own_recipe import OwnEmbedRecipe, OwnLabelRecipe, TensorsRecipe

        return {"label": OwnLabelRecipe, "embed": OwnEmbedRecipe, "tensors": TensorsRecipe}
    from satchel_models.embed_recipe import EmbedRecipe
    from satchel_models.label_recipe import LabelRecipe

    return {"label": LabelRecipe, "embed": EmbedRecipe}


def _kind(table: dict[str, Any], path: Path) -> type[Recipe]:
    task, source = table.get("task"), table.get("source")
    packaged = kinds(own=False)
    owned = task not in packaged or (isinstance(source, dict) and "file" in source)
    known = kinds(own=True) if owned else packaged
    if task not in known:
        raise RecipeError(f"{path}: 'task' must be one of {', '.join(known)}.")
    return known[task]


def pinned(packages: tuple[str, ...]) -> Rule:
    """The rule for a source's packages."""
    return (
        all("==" in package for package in packages),
        "source.packages",
        "name==version, so that a rebuild finds the same original",
    )


def digest(value: str, name: str) -> Rule:
    """The rule for a SHA-256."""
    return (re.fullmatch(r"[0-9a-f]{64}", value), name, "64 hex digits")
