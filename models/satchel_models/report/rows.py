"""One row for each candidate: what every table of a report shows, worked out once."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from satchel_models.report import figures
from satchel_models.results import (
    BUDGETS,
    Candidate,
    Engine,
    Estimate,
    Measured,
    OptimizationReport,
)

THREADS = (1, 2)
"""Of the engine, that tables show."""


@dataclass(frozen=True)
class Row:
    """A candidate's figures.

    Attributes:
        measured: All that is known of it.
        latency: Threads → milliseconds of one inference: the median; over several kinds of input
            their geometric mean.
        cpu_seconds: Threads → process CPU time of one inference, likewise.
        creation_ms: Median time to make a session.
        brotli: Estimated bytes on the wire; None: it wasn't compiled.
        nodes: In its graph; None: it wasn't compiled.
        baseline: Whether it is float32, that the others are compared with.
        over: Whether it lost more, on the selecting part, than the level may cost.
    """

    measured: Measured
    latency: Mapping[int, float]
    cpu_seconds: Mapping[int, float]
    creation_ms: float
    brotli: int | None
    nodes: int | None
    baseline: bool
    over: bool

    @property
    def candidate(self) -> Candidate:
        """What was measured."""
        return self.measured.candidate

    @property
    def points(self) -> float:
        """What it gains in accuracy; where that can't be told, in likeness to the original."""
        delta = self.measured.accuracy.delta
        return -self.measured.selection.value if delta is None else delta

    @property
    def ends(self) -> tuple[float, float] | None:
        """The interval of `points`."""
        accuracy, selection = self.measured.accuracy, self.measured.selection
        if accuracy.delta is None:
            return (-selection.high, -selection.low)
        return accuracy.interval

    @property
    def name(self) -> str:
        """The candidate's name."""
        return self.candidate.name

    @property
    def engine(self) -> str:
        """The engine that runs it."""
        return self.candidate.engine


@dataclass(frozen=True)
class EngineRow:
    """An engine at its best.

    Attributes:
        engine: The engine.
        picked: Its chosen candidate; None: it has none.
        times: Threads → the overall winner's time over that candidate's; empty for the winner.
        winner: Whether its candidate is the overall winner.
    """

    engine: Engine
    picked: Measured | None
    times: Mapping[int, Estimate]
    winner: bool

    @property
    def chosen(self) -> str:
        """Its chosen candidate's name."""
        return self.picked.name if self.picked else figures.NOTHING

    @property
    def download(self) -> str:
        """What a first visit downloads for the model and the engine."""
        return figures.size(self.picked.download) if self.picked else figures.NOTHING

    def time(self, threads: int) -> tuple[str, str]:
        """The winner's time over its candidate's, and the interval."""
        found = self.times.get(threads)
        if found is None:
            return figures.NOTHING, figures.NOTHING
        return figures.times(found.value), figures.spread(found)


def rows(report: OptimizationReport) -> tuple[Row, ...]:
    """Return the candidates' rows: what is chosen, float32, what the budget allows, the rest."""
    made = [_row(report, measured) for measured in report.candidates]
    main = chosen(report)

    def order(row: Row) -> tuple[bool, bool, bool, bool, int]:
        of = row.measured
        return (
            of is not main,
            not of.chosen,
            not row.baseline,
            row.over,
            row.candidate.size,
        )

    return tuple(sorted(made, key=order))


def chosen(report: OptimizationReport) -> Measured | None:
    """Return the candidate that the whole report's figures are about; None: there is none."""
    picked = [measured for measured in report.candidates if measured.chosen]
    files = {compiled.candidate: compiled.file for compiled in report.compiled}
    for measured in picked:
        if files.get(measured.candidate.name) == report.optimized_model_path:
            return measured
    return picked[0] if picked else None


def engine_rows(report: OptimizationReport) -> tuple[EngineRow, ...]:
    """Return each engine's row, the winner's first; none where there is no choice of engines."""
    candidates = {measured.name: measured for measured in report.candidates}
    if len(report.engines) < 2:
        return ()
    return tuple(
        EngineRow(
            engine,
            candidates.get(engine.chosen),
            {lead.threads: lead.time for lead in engine.leads},
            winner=number == 0,
        )
        for number, engine in enumerate(report.engines)
    )


def feeds(report: OptimizationReport) -> tuple[str, ...]:
    """Return the kinds of input that were timed, in order."""
    found = (timing.feed for measured in report.candidates for timing in measured.timings)
    return tuple(dict.fromkeys(found))


def mean_note(report: OptimizationReport) -> str:
    """Say what latencies mean where there are several kinds of input; "" where there is one.

    Candidates for smaller inputs have a kind of their own, one each.
    """
    first = [timing.feed for one in report.candidates[:1] for timing in one.timings]
    kinds = tuple(dict.fromkeys(first))
    return f"Geometric means over {figures.listing(kinds)}." if len(kinds) > 1 else ""


def median(values: Sequence[float]) -> float:
    """Return the median; not a number where there are no values."""
    return statistics.median(values) if len(values) else math.nan


def _row(report: OptimizationReport, measured: Measured) -> Row:
    name = measured.candidate.name
    compiled = {entry.candidate: entry for entry in report.compiled}.get(name)
    return Row(
        measured=measured,
        latency={
            threads: _mean(median(t.latency_ms) for t in measured.timings if t.threads == threads)
            for threads in THREADS
        },
        cpu_seconds={
            threads: _mean(median(t.cpu_seconds) for t in measured.timings if t.threads == threads)
            for threads in THREADS
        },
        creation_ms=median(measured.creation_ms),
        brotli=compiled.brotli if compiled else None,
        nodes=compiled.nodes if compiled else None,
        baseline=name == report.candidates[0].candidate.name,
        over=measured.selection.value > BUDGETS[report.level],
    )


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    # CPU time has a coarse clock: a median of 0 is possible, and has no geometric mean.
    if not found or not all(value > 0 for value in found):
        return math.nan
    return statistics.geometric_mean(found)
