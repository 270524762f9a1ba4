"""What a recipe makes: a manifest with one release, and blobs named by their hash."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from builder import made
from builder.errors import BuildError, InputMissingError
from builder.files import sha256, write_whole
from builder.paths import CACHE
from satchel_models import ModelError, Recipe, patch
from satchel_models.own_recipe import OwnRecipe
from satchel_models.recipe import RECIPE_FILE, Notice, Variant

PATCHED = CACHE / "patched"
"""Files that are made of others, by their content's hash."""

SCHEMA = 1
"""The manifest format that `app/satchel/manifest.py` reads."""

PLATFORM = "browser"
MINIMUM_APP = "0.1.0"

ACCURACIES = ("top1", "spearman")
"""Which of a recipe's figures are accuracies that a device may choose by."""


@dataclass(frozen=True)
class Blob:
    """An immutable file, named by its content."""

    path: Path
    sha256: str
    size: int

    @classmethod
    def of(cls, path: Path) -> "Blob":
        """Read a file's hash and size."""
        return cls(path, sha256(path), path.stat().st_size)

    @property
    def reference(self) -> dict[str, str | int]:
        """How a manifest names it."""
        return {"sha256": self.sha256, "size": self.size}


@dataclass(frozen=True)
class Artefacts:
    """What one recipe contributes to a site."""

    recipe: Recipe
    manifest: bytes
    blobs: tuple[Blob, ...]
    """Every blob that the manifest names, each once."""


def load(path: Path) -> Recipe:
    """Read a recipe.toml.

    Raises:
        BuildError: With the recipe's own sentence about what is wrong.
    """
    if path.name != RECIPE_FILE:
        raise BuildError(f"{path}: a recipe's file must be called {RECIPE_FILE}.")
    try:
        return Recipe.load(path.parent)
    except ModelError as error:
        raise BuildError(str(error)) from error


def inputs(recipe: Recipe) -> list[Path]:
    """Return every file that a recipe's artefacts depend on; nothing is made for it."""
    place = made.place(recipe)
    artefacts = [
        *(name for one in recipe.variants for name in (one.file, one.patch) if name),
        *recipe.files.values(),
    ]
    beside = [*recipe.reads, *(notice.file for notice in recipe.notices)]
    # Its bytes are not read here, but what it is made from must still be what it was made from.
    original = [recipe.original] if isinstance(recipe, OwnRecipe) else []
    # A made artefact's folder is named by what it is made from.
    known = [place / name for name in artefacts] if place == recipe.folder else [made.CODE]
    return [*(recipe.folder / name for name in beside), *known, *original]


def artefacts(path: Path, only: str | None = None) -> Artefacts:
    """Turn a recipe and the files beside it into a manifest and its blobs.

    The manifest's bytes depend on nothing but the recipe and those files.

    Args:
        path: The recipe.toml.
        only: The one variant to take; None: all.

    Raises:
        InputMissingError: A file that the recipe names isn't there.
        BuildError: The recipe is wrong.
    """
    recipe = load(path)
    if isinstance(recipe, OwnRecipe):
        _check_artefact(recipe)
    place = made.folder(recipe)
    files = {name: Blob.of(_file(recipe, place / file)) for name, file in recipe.files.items()}
    chosen = [variant for variant in recipe.variants if only in (None, variant.name)]
    if not chosen:
        known = ", ".join(variant.name for variant in recipe.variants)
        raise BuildError(f"The recipe of {recipe.id} has no variant {only!r}; it has {known}.")
    models = [Blob.of(_model(recipe, place, variant)) for variant in chosen]
    variants = [
        _variant(recipe, variant, blob, files) for variant, blob in zip(chosen, models, strict=True)
    ]
    release = {
        "version": recipe.version,
        "changelog": recipe.changelog,
        "mandatory": False,
        "rollout": 100,
        "licence": recipe.licence,
        "minimum_app": MINIMUM_APP,
        "platforms": {PLATFORM: variants},
    }
    manifest = {
        "schema": SCHEMA,
        "model": recipe.id,
        "task": recipe.task,
        "title": recipe.title,
        "releases": [release],
        "minimum_version": None,
        "revoked": [],
    }
    distinct = {blob.sha256: blob for blob in (*models, *files.values())}
    return Artefacts(recipe, canonical(manifest), tuple(distinct.values()))


def _check_artefact(recipe: OwnRecipe) -> None:
    todo = f"python3 build.py optimize {recipe.folder}"
    if not recipe.variants:
        raise InputMissingError(f"{recipe.id} has no artefact yet. Make it: {todo}")
    if recipe.is_stale:
        raise BuildError(
            f"{recipe.original}, or what {recipe.folder / RECIPE_FILE} says of it, has changed "
            f"since the artefact of {recipe.id} was made. Make it anew: {todo}"
        )


def notice_text(recipe: Recipe, notice: Notice) -> str:
    """Return the licence text of something inside a model."""
    return _file(recipe, recipe.folder / notice.file).read_text("utf-8")


def canonical(value: object) -> bytes:
    """Return JSON with one spelling: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def _variant(
    recipe: Recipe, variant: Variant, blob: Blob, files: Mapping[str, Blob]
) -> dict[str, Any]:
    # What a recipe's evaluation says was measured of its first variant.
    first = variant.name == recipe.variants[0].name
    figures = variant.accuracy or (recipe.evaluation.figures if first else {})
    accuracy = {name: figures[name] for name in ACCURACIES if name in figures}
    return {
        "name": variant.name,
        "engine": variant.engine,
        "blob": blob.reference,
        "chunks": None,
        "golden": None,
        "needs": variant.needs,
        "session": asdict(variant.session),
        "files": {name: file.reference for name, file in files.items()},
        "resolutions": variant.resolutions,
        "crop": recipe.crop,
        "accuracy": accuracy or None,
        "latency_ms": variant.latency_ms,
        "cpu_seconds": variant.cpu_seconds,
    }


def _model(recipe: Recipe, place: Path, variant: Variant) -> Path:
    """Return a variant's file; one that shares another's is made of it."""
    file = _file(recipe, place / variant.file)
    if not variant.patch:
        return file
    path = _file(recipe, place / variant.patch)
    try:
        data = patch.applied(file.read_bytes(), json.loads(path.read_text("utf-8")))
    except (ModelError, ValueError) as error:
        raise BuildError(
            f"{path} doesn't fit {file}: {error} Make both again: python3 build.py "
            f"{_remaking(recipe)}"
        ) from error
    made = PATCHED / f"{hashlib.sha256(data).hexdigest()}{file.suffix}"
    if not made.is_file():
        write_whole(made, data)
    return made


def _file(recipe: Recipe, path: Path) -> Path:
    if not path.is_file():
        raise InputMissingError(
            f"The recipe of {recipe.id} names {path.name}, which isn't there. If it is an "
            f"artefact, make it again: python3 build.py {_remaking(recipe)}"
        )
    return path


def _remaking(recipe: Recipe) -> str:
    if isinstance(recipe, OwnRecipe):
        return f"optimize {recipe.folder}"
    return f"models --rebuild {recipe.id}"
