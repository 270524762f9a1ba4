"""How the levels of one model differ: the same model, optimised at several levels."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from satchel_models.errors import ReportError
from satchel_models.report import figures
from satchel_models.report.rows import chosen
from satchel_models.results import BUDGETS, Estimate, OptimizationReport


@dataclass(frozen=True)
class LevelRow:
    """What one level did.

    Attributes:
        level: Its name.
        budget: What it may cost, in percentage points.
        passes: Graph passes whose result it took.
        nodes_before: Nodes that the first pass found.
        nodes: Nodes that the last one left.
        candidates: Names of what was measured.
        rejected: Names of what could not be made or run.
        kept: Weights that stay in float.
        chosen: The overall winner; "" for none.
        engine: The winner's.
        others: What was chosen for the other engines.
        size: Its bytes.
        size_reduction: Fraction of the original's bytes that it saves.
        speedup: Over float32 at one thread.
        delta: Of accuracy, in percentage points; None: it can't be told.
        interval: The delta's.
        seconds: That the run took.
    """

    level: str
    budget: float
    passes: tuple[str, ...]
    nodes_before: int
    nodes: int
    candidates: tuple[str, ...]
    rejected: tuple[str, ...]
    kept: int
    chosen: str
    engine: str
    others: tuple[str, ...]
    size: int
    size_reduction: float
    speedup: Estimate
    delta: float | None
    interval: tuple[float, float] | None
    seconds: float


@dataclass(frozen=True)
class Levels:
    """Levels beside each other.

    Attributes:
        model: Their model.
        rows: The most careful level first.
        differences: What each does beyond the one before, a sentence each.
    """

    model: str
    rows: tuple[LevelRow, ...]
    differences: tuple[str, ...]


def compare(reports: Sequence[OptimizationReport]) -> Levels:
    """Set reports of one model beside each other.

    Args:
        reports: One for each level, in any order.

    Raises:
        ReportError: There are none, or they are not of one model, or two are of one level.
    """
    if not reports:
        raise ReportError("There is no report to compare.")
    models = {(report.model, report.target) for report in reports}
    if len(models) > 1:
        names = figures.listing(sorted(f"{model} for {target}" for model, target in models))
        raise ReportError(f"Only levels of one model can be compared, and these are {names}.")
    order = list(BUDGETS)
    made = tuple(_row(report) for report in sorted(reports, key=lambda r: order.index(r.level)))
    if len({row.level for row in made}) < len(made):
        raise ReportError("Two reports are of one level: give one for each.")
    differences = tuple(_difference(before, after) for before, after in pairwise(made))
    return Levels(reports[0].model, made, differences)


def _row(report: OptimizationReport) -> LevelRow:
    picked = chosen(report)
    passes = report.graph.passes
    return LevelRow(
        level=report.level,
        budget=BUDGETS[report.level],
        passes=tuple(of.name for of in passes if not of.undone),
        nodes_before=passes[0].before if passes else report.converted.nodes,
        nodes=passes[-1].after if passes else report.converted.nodes,
        candidates=tuple(measured.candidate.name for measured in report.candidates),
        rejected=tuple(of.name for of in report.rejected),
        kept=sum(of.kept for of in report.sensitivities),
        chosen=picked.name if picked else "",
        engine=picked.engine if picked else "",
        others=tuple(
            of.chosen for of in report.engines if of.chosen and picked and of.chosen != picked.name
        ),
        size=picked.candidate.size if picked else report.original_size,
        size_reduction=report.size_reduction,
        speedup=picked.speed if picked else Estimate(1, 1, 1),
        delta=report.accuracy_delta,
        interval=report.accuracy_interval,
        seconds=sum(report.seconds.values()),
    )


def _difference(before: LevelRow, after: LevelRow) -> str:
    """Say what a level does beyond the one before."""
    parts = [f"may cost {figures.budget(after.budget)} instead of {before.budget:g}"]
    passes = [name for name in after.passes if name not in before.passes]
    if passes:
        parts.append(f"also runs {figures.listing(passes)}")
    if after.nodes != before.nodes:
        parts.append(f"leaves {after.nodes} nodes instead of {before.nodes}")
    tried = [name for name in after.candidates if name not in before.candidates]
    if tried:
        parts.append(f"also tries {figures.listing(tried)}")
    if after.kept != before.kept:
        parts.append(f"keeps {after.kept} weights in float instead of {before.kept}")
    if (after.chosen, after.size) == (before.chosen, before.size):
        parts.append(f"chooses the same, {after.chosen or 'nothing'}")
    else:
        sizes = f"{figures.size(after.size)} instead of {figures.size(before.size)}"
        parts.append(f"chooses {after.chosen or 'nothing'}, {sizes}")
    if after.others != before.others:
        listed = [
            figures.listing(row.others) if row.others else "nothing" for row in (after, before)
        ]
        parts.append(f"has {listed[0]} for the other engine instead of {listed[1]}")
    return f"{after.level} beside {before.level}: it {'; it '.join(parts)}."
