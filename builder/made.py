"""Artefacts that are too big to commit: made from their source at first need, kept in the cache.

A made artefact is named by all that it depends on (its recipe, the code, the tools), so that a
change makes it anew and nothing else does.
"""

import shutil
from importlib import metadata
from pathlib import Path

from filelock import FileLock

from builder.errors import BuildError
from builder.files import fingerprint, replacing
from builder.paths import CACHE, MODELS
from builder.progress import doing
from satchel_models import ModelError, Recipe
from satchel_models.embed_recipe import EmbedRecipe

STORE = CACHE / "models"
ORIGINALS = CACHE / "originals"
"""Where the packages with the weights are kept."""

CODE = MODELS / "satchel_models"
TOOLS = ("numpy", "onnx", "onnxruntime")


def place(recipe: Recipe) -> Path:
    """Return the folder that a recipe's artefacts belong into, whether they are there or not."""
    if recipe.artefacts == "committed":
        return recipe.folder
    versions = [f"{name} {metadata.version(name)}" for name in TOOLS]
    # What was measured or who is named changes no byte of the artefact.
    facts = [repr((name, value)) for name, value in sorted(vars(recipe).items()) if name in _FACTS]
    facts += [repr((one.name, one.engine, one.file, one.session)) for one in recipe.variants]
    return STORE / recipe.id / fingerprint([CODE], *facts, *versions)[:16]


_FACTS = ("encoding", "files", "id", "source")


def folder(recipe: Recipe) -> Path:
    """Return the folder that holds a recipe's artefacts, making them if need be.

    Raises:
        BuildError: They can't be made; the message says why.
    """
    there = place(recipe)
    if recipe.artefacts == "made":
        there.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(STORE / f"{recipe.id}.lock"):
            if not there.is_dir():
                make(recipe, there)
                _forget_others(there)
    return there


def make(recipe: Recipe, out: Path) -> None:
    """Make a recipe's artefacts and put them at `out` in one move.

    Raises:
        BuildError: The source can't be had, or the result is wrong.
    """
    from satchel_models import sentences

    if not isinstance(recipe, EmbedRecipe):
        raise BuildError(f"Nothing here makes the artefact of {recipe.id}, a {recipe.task} model.")
    try:
        with doing(f"Making {recipe.title} from its weights …"), replacing(out) as work:
            sentences.make(recipe, work, ORIGINALS)
    except ModelError as error:
        raise BuildError(str(error)) from error


def _forget_others(kept: Path) -> None:
    for path in kept.parent.iterdir():
        if path != kept:
            shutil.rmtree(path, ignore_errors=True)
