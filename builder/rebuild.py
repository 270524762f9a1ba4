"""Listing recipes, and making an artefact again from its PyTorch original."""

from rich.table import Column, Table

from builder import models, toolenv
from builder.errors import BuildError
from builder.files import sha256
from builder.paths import CACHE, MODELS, ROOT
from builder.progress import console

OUT = CACHE / "rebuilt"


def listing() -> Table:
    """Return a table of the recipes in models/ and the state of their artefacts."""
    names = ("id", "task", "version", "variant", "engine", "artefact", "sha256")
    table = Table(*(Column(name, no_wrap=True) for name in names), box=None)
    for path in sorted(MODELS.glob("*/recipe.toml")):
        recipe = models.load(path)
        for variant in recipe.variants:
            file = recipe.folder / variant.file
            there = file.is_file()
            table.add_row(
                recipe.id,
                recipe.task,
                recipe.version,
                variant.name,
                variant.engine,
                f"{file.stat().st_size / 1e6:.2f} MB" if there else "missing",
                sha256(file)[:10] if there else "",
            )
    return table


def rebuild(model: str) -> None:
    """Make every variant of a recipe again and put it in its place.

    Raises:
        BuildError: There is no such recipe, or a step failed (which has said why).
    """
    path = MODELS / model / "recipe.toml"
    if not path.is_file():
        known = ", ".join(sorted(found.parent.name for found in MODELS.glob("*/recipe.toml")))
        raise BuildError(f"There is no recipe {model!r}; models/ has {known or 'none'}.")
    recipe = models.load(path)
    out = OUT / model
    for variant in recipe.variants:
        arguments = [model, "--out", str(out), "--variant", variant.name]
        if toolenv.run("torch", "satchel_models.rebuild", *arguments):
            raise BuildError(f"{model} wasn't rebuilt; the artefact in {recipe.folder} stays.")
        for name in (variant.file, variant.golden):
            (out / name).replace(recipe.folder / name)
            console.print(f"Wrote {(recipe.folder / name).relative_to(ROOT)}")
