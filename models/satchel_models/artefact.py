"""What came of optimising a model of one's own, kept beside its recipe: builds find it there.

The folder `artefact` holds the chosen file of each engine, what its task needs beside it, and
`artefact.json`, which says how they are loaded and what they were made from. All of it is made
anew by `build.py optimize`, and nothing in it is written by hand.
"""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from satchel_models.errors import RecipeError
from satchel_models.recipe import Variant
from satchel_models.report.rows import Row, rows
from satchel_models.tables import read_table

if TYPE_CHECKING:
    from satchel_models.own_recipe import OwnRecipe
    from satchel_models.results import OptimizationReport

__all__ = ["FOLDER", "RECORD", "Artefact", "keep", "read", "variants"]

FOLDER = "artefact"

RECORD = f"{FOLDER}/artefact.json"


@dataclass(frozen=True)
class Artefact:
    """What `artefact.json` says.

    Attributes:
        made_from: `OwnRecipe.made_from` at that time.
        variants: Best first; their files as paths from the recipe's folder.
        files: What else the task needs, by name; paths likewise.
    """

    made_from: str
    variants: tuple[Variant, ...]
    files: dict[str, str] = field(default_factory=dict)


def read(folder: Path) -> Artefact | None:
    """The artefact beside a recipe; None: there is none yet.

    Raises:
        RecipeError: It can't be understood.
    """
    path = folder / RECORD
    try:
        table = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"{path} can't be read: {error}. Make it anew: python3 build.py optimize {folder}"
        ) from error
    return read_table(Artefact, table, str(path))


def variants(
    report: OptimizationReport, resolutions: tuple[int, ...] = ()
) -> list[tuple[Variant, Path]]:
    """The candidates that were chosen, one for each engine, with their files.

    The overall winner comes first: a device takes the first one that it can run.

    Args:
        report: What became of the model.
        resolutions: Sides of square photos (pixels) that they are for.
    """
    found = {row.name: row for row in rows(report)}
    files = {one.candidate: one.file for one in report.compiled}
    best = [found[engine.chosen] for engine in report.engines if engine.chosen]
    return [(_variant(row, files[row.name].name, resolutions), files[row.name]) for row in best]


def _variant(row: Row, file: str, resolutions: tuple[int, ...]) -> Variant:
    accuracy = row.measured.accuracy
    # Likeness to the original is no accuracy.
    known = {} if accuracy.delta is None else {accuracy.metric: accuracy.value}
    return Variant(
        name=row.name,
        engine=row.candidate.engine,
        file=file,
        session=row.candidate.session,
        resolutions=resolutions,
        needs=row.measured.needs,
        accuracy=known,
        latency_ms=_finite(row.latency[1]),
        cpu_seconds=_finite(row.cpu_seconds[1]),
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def keep(
    recipe: OwnRecipe,
    made_from: str,
    made: Sequence[tuple[Variant, Path]],
    beside: Sequence[Path] = (),
) -> Path:
    """Put an artefact beside its recipe; the one that was there goes once all of it is written.

    Args:
        recipe: What it is the artefact of.
        made_from: `recipe.made_from`, from before the work began.
        made: Variants, best first, with their files, which are copied.
        beside: Files that are kept with them, for people: the report.

    Returns:
        The artefact's folder.

    Raises:
        ModelError: What the task needs beside the model can't be made.
    """
    place = recipe.folder / FOLDER
    texts = recipe.texts()
    record = Artefact(
        made_from,
        tuple(replace(variant, file=f"{FOLDER}/{_name(variant)}") for variant, _ in made),
        {name: f"{FOLDER}/{name}.txt" for name in texts},
    )
    work = Path(tempfile.mkdtemp(dir=recipe.folder, prefix=f".{FOLDER}-"))
    try:
        for variant, file in made:
            shutil.copyfile(file, work / _name(variant))
        for file in beside:
            shutil.copyfile(file, work / file.name)
        for name, text in texts.items():
            (work / f"{name}.txt").write_text(text, "utf-8", newline="\n")
        (work / Path(RECORD).name).write_text(json.dumps(asdict(record), indent=1) + "\n", "utf-8")
        work.chmod(0o755)  # a temporary folder is its owner's alone
        old = work.with_name(f"{work.name}-old")
        if place.exists():
            place.rename(old)
        work.rename(place)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return place


def _name(variant: Variant) -> str:
    return f"{variant.name}{Path(variant.file).suffix}"
