"""Listing recipes, and making an artefact again from its original."""

from pathlib import Path

from rich.table import Column, Table

from builder import made, models, optimizing
from builder.errors import BuildError
from builder.files import replacing, sha256
from builder.paths import CACHE, MODELS, ROOT
from builder.progress import console
from satchel_models import ModelError, Recipe
from satchel_models import rebuild as remaking
from satchel_models.caching import Cache
from satchel_models.label_recipe import LabelRecipe
from satchel_models.report import Steps

OUT = CACHE / "rebuilt"


def listing() -> Table:
    """Return a table of the recipes in models/ and the state of their artefacts."""
    names = ("id", "task", "version", "variant", "engine", "artefact", "sha256")
    table = Table(*(Column(name, no_wrap=True) for name in names), box=None)
    for path in sorted(MODELS.glob("*/recipe.toml")):
        recipe = models.load(path)
        for variant in recipe.variants:
            file = made.place(recipe) / variant.file
            there = file.is_file()
            table.add_row(
                recipe.id,
                recipe.task,
                recipe.version,
                variant.name,
                variant.engine,
                f"{file.stat().st_size / 1e6:.2f} MB" if there else _ABSENT[recipe.artefacts],
                sha256(file)[:10] if there else "",
            )
    return table


def rebuild(model: str, data: Path | None = None) -> None:
    """Make every variant of a recipe again and put it in its place.

    Args:
        model: The recipe's name.
        data: Photos that calibrate; None: what they gave the last time does.

    Raises:
        BuildError: There is no such recipe, or a step failed (which has said why).
    """
    path = MODELS / model / "recipe.toml"
    if not path.is_file():
        known = ", ".join(sorted(found.parent.name for found in MODELS.glob("*/recipe.toml")))
        raise BuildError(f"There is no recipe {model!r}; models/ has {known or 'none'}.")
    recipe = models.load(path)
    if recipe.artefacts == "made":
        _remake(recipe)
    elif isinstance(recipe, LabelRecipe):
        _rebuild_by_steps(recipe, data)


_ABSENT = {"committed": "missing", "made": "made when needed"}


def _remake(recipe: Recipe) -> None:
    place = made.place(recipe)
    files = [place / variant.file for variant in recipe.variants]
    before = [sha256(file) if file.is_file() else None for file in files]
    made.make(recipe, place)
    for file, known in zip(files, before, strict=True):
        found = sha256(file)
        same = "" if known is None else " (as before)" if known == found else " (was another)"
        console.print(f"Wrote {file.relative_to(ROOT)}: sha256 {found}{same}")


def _rebuild_by_steps(recipe: LabelRecipe, data: Path | None) -> None:
    try:
        with Steps() as steps, replacing(OUT / recipe.id) as work:
            place = remaking.Workplace(
                originals=optimizing.ORIGINALS,
                cache=Cache(optimizing.STORE),
                tools=optimizing.Tools(),
                data=data,
                told=optimizing.Told(steps),
            )
            done = remaking.rebuild(recipe, work, place)
    except ModelError as error:
        raise BuildError(
            f"{recipe.id} wasn't rebuilt; the artefacts in {recipe.folder} stay. {error}"
        ) from error
    for path in sorted((OUT / recipe.id).iterdir()):
        target = recipe.folder / path.name
        same = " (as before)" if target.is_file() and sha256(target) == sha256(path) else ""
        path.replace(target)
        console.print(f"Wrote {target.relative_to(ROOT)}{same}")
    for one in done:
        console.print(
            f"{one.variant}: {one.size:,} bytes, sha256 {one.sha256}; golden outputs against the "
            f"original: cosine {one.cosine:.4f} at worst"
        )
