"""The command `optimize`: EdgeOptimizer with this source tree's tools."""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from rich.console import Console

from builder import models, toolenv
from builder.errors import BuildError
from builder.files import write_whole
from builder.paths import CACHE, MODELS
from builder.progress import say
from builder.report import machine, versions
from satchel_models import ModelError, artefact, own_interface, report, targets
from satchel_models.caching import Cache
from satchel_models.convert import Original
from satchel_models.data import Preprocessing
from satchel_models.embed_recipe import EmbedRecipe
from satchel_models.label_recipe import LabelRecipe
from satchel_models.measurement import Laboratory
from satchel_models.optimizer import EdgeOptimizer
from satchel_models.own_recipe import OwnRecipe
from satchel_models.pipeline import Pipeline
from satchel_models.recipe import RECIPE_FILE
from satchel_models.report import encoding
from satchel_models.results import BUDGETS, Level, OptimizationReport
from satchel_models.subjects import Embed, File, Label, Own, Subject, example
from satchel_models.tools import Environment

STORE = CACHE / "optimize"
ORIGINALS = CACHE / "originals"

WIDTH = 200
"""Columns of a table that no terminal shows."""


class Tools:
    """What doesn't fit into this environment; see `satchel_models.tools.Tools`."""

    def python(self, environment: Environment) -> Path:
        """Return the Python of a tool environment, made at first need."""
        return toolenv.python(environment)

    def laboratory(self) -> AbstractContextManager[Laboratory]:
        """Open a Chromium with the page's engines in it."""
        from builder import laboratory

        return laboratory.opened()

    def machine(self) -> Mapping[str, Any]:
        """Describe the machine."""
        return machine()

    def versions(self) -> Mapping[str, str]:
        """Return the versions of what takes part beside Python's libraries."""
        return versions()


def subject(
    model: str,
    *,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    fixed: tuple[str, ...],
    factory: str | None,
    trust: bool,
    mean: tuple[float, ...],
    scale: tuple[float, ...],
    tokenizer: Path | None,
) -> Subject:
    """Return what a command line names: a recipe, its folder, or a file with what it doesn't say.

    Raises:
        BuildError: A recipe says all by itself; or an option can't be read.
    """
    given = Path(model)
    folder = next(
        (place for place in (given, MODELS / model) if (place / RECIPE_FILE).is_file()), None
    )
    if folder is not None:
        if inputs or outputs or fixed or factory or mean or scale or tokenizer:
            raise BuildError(
                f"{folder / RECIPE_FILE} says what is to be known of the model: correct it there, "
                "and leave the options out."
            )
        return _of_recipe(folder, trust)
    examples = dict(_named(text) for text in inputs)
    original = Original(
        given,
        factory=factory,
        trust=trust,
        inputs=examples or None,
        outputs=outputs or None,
        fixed=dict(map(_sized, fixed)) or None,
    )
    photos = Preprocessing(mean=mean or None, scale=scale or None) if mean or scale else None
    return File(original, photos, tokenizer)


def run(
    what: Subject,
    *,
    target: str,
    level: Level,
    data: Path | None,
    calibration: Path | None,
    out: Path | None,
    json: Path | None,
    compare: bool = False,
) -> OptimizationReport:
    """Optimise a model, show what came of it, and write the report.

    Args:
        what: The model.
        target: Platform.
        level: Of optimisation.
        data: What calibrates, selects and reports; None: made up.
        calibration: Calibrates instead of a part of `data`.
        out: Where to; None: beside the model, or in the cache for a recipe.
        json: Gets the report, too.
        compare: Whether the report tells of the other levels, too.

    Raises:
        BuildError: A step can't be done; the message says why and the way out.
    """
    out = out or _place(what)
    try:
        made_from = what.recipe.made_from if isinstance(what, Own) else ""
        with report.Steps(expected=_before(out)) as steps:
            optimizer = EdgeOptimizer(
                what,
                data=data,
                calibration=calibration,
                out=out,
                tools=Tools(),
                told=Told(steps),
                cache=STORE,
                command=_command(),
            )
            others = [one for one in BUDGETS if compare and one != level]
            reports = [
                asyncio.run(optimizer.optimize_for_edge(target, one)) for one in (*others, level)
            ]
        found = reports[-1]
        levels = report.compare(reports) if compare else None
        if levels:
            report.write(found, out, levels)
        if isinstance(what, Own):
            _keep(what.recipe, made_from, found, out)
    except ModelError as error:
        raise BuildError(str(error)) from error
    # To stdout: it is the command's answer, not a word about its progress.
    stdout = Console(width=None if sys.stdout.isatty() else WIDTH)
    report.show(found, stdout)
    if levels:
        report.show_levels(levels, stdout)
    say(f"The model, {found.optimized_model_path.name}, and the report as a page: {out}")
    if json:
        write_whole(json, encoding.text(found, json.absolute().parent))
    return found


class Told:
    """Passes on to the terminal what the steps say."""

    def __init__(self, steps: report.Steps) -> None:
        self._steps = steps
        self._now = ""

    def __call__(self, step: str, text: str, share: float | None) -> None:
        """Say it."""
        if step != self._now:
            self._now = step
            self._steps.step(step)
        if text:
            self._steps.told(text, share)


def converted(recipe: LabelRecipe) -> Path:
    """Return a published classifier as float32 ONNX with photos in front: the first step's result.

    Raises:
        BuildError: It can't be converted.
    """
    subject = Label(recipe, ORIGINALS)
    store = Cache(STORE)
    try:
        pipeline = Pipeline(
            subject,
            targets.target("browser"),
            "balanced",
            None,
            None,
            0,
            Tools(),
            store,
            lambda *_: None,
        )
        return pipeline.converted().file
    except ModelError as error:
        raise BuildError(str(error)) from error


def _named(text: str) -> tuple[str, tuple[tuple[int, ...], str]]:
    name, _, rest = text.rpartition("=")
    if not name:
        raise BuildError(f"--input {text}: write NAME=1x3x224x224:float32.")
    try:
        return name, example(rest)
    except ModelError as error:
        raise BuildError(str(error)) from error


def _sized(text: str) -> tuple[str, int]:
    name, _, size = text.rpartition("=")
    if not name or not size.isdecimal() or int(size) < 1:
        raise BuildError(f"--fix {text}: write NAME=576.")
    return name, int(size)


def _of_recipe(folder: Path, trust: bool) -> Subject:
    recipe = models.load(folder / RECIPE_FILE)
    if isinstance(recipe, OwnRecipe):
        return Own(recipe, trust)
    if isinstance(recipe, LabelRecipe):
        return Label(recipe, ORIGINALS)
    if isinstance(recipe, EmbedRecipe):
        return Embed(recipe, ORIGINALS)
    raise BuildError(f"Nothing here optimises {recipe.id}, a {recipe.task} model.")


def _place(what: Subject) -> Path:
    if isinstance(what, File):
        return Path(f"{what.name}-optimized")
    return CACHE / "optimized" / what.name


def _keep(recipe: OwnRecipe, made_from: str, found: OptimizationReport, out: Path) -> None:
    """Put the chosen candidate of each engine beside the recipe, where builds look for it."""
    made = artefact.variants(found, own_interface.resolutions(recipe))
    beside = [out / name for name in ("report.json", "report.html", "report.md")]
    artefact.keep(recipe, made_from, made, beside)


def _before(out: Path) -> Mapping[str, float]:
    """Seconds that each step took the last time, where it was run."""
    try:
        seconds = report.read(out / "report.json").seconds
    except ModelError:
        return {}
    return {name: took for name, took in seconds.items() if took}


def _command() -> str:
    return " ".join(["python3", "build.py", *sys.argv[1:]])
