"""What the page's charts show of a report: which candidates, figures, axes and words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from satchel_models import engines
from satchel_models.report import charts, drawing, figures, summary
from satchel_models.report.charts import Dot, Kind, Shape
from satchel_models.report.rows import Row, feeds, median
from satchel_models.results import BUDGETS, OptimizationReport, Timing

SHAPES: Mapping[str, Shape] = {"onnxruntime": "circle", "litert": "diamond"}
"""An engine's marks in scatters."""

WEIGHTS = 24
"""Weights whose sensitivity is drawn; those that stay in float are, in any case."""


@dataclass(frozen=True)
class Panel:
    """A chart with its heading."""

    heading: str
    chart: Markup


@dataclass(frozen=True)
class Strip:
    """One candidate's measurements."""

    row: Row
    number: int
    chart: Markup
    figure: str
    detail: str


@dataclass(frozen=True)
class Strips:
    """Candidates' measurements on one scale."""

    heading: str
    strips: tuple[Strip, ...]
    scale: Markup


@dataclass(frozen=True)
class Bar:
    """Something with a bar for its size."""

    name: str
    detail: str
    chart: Markup
    figure: str
    marked: bool = False


def scatters(report: OptimizationReport, found: Sequence[Row]) -> list[Panel]:
    """Return size against latency, and accuracy, or likeness, against either."""
    label = "MB, model and engine" if report.engines else "MB"
    size = drawing.linear(label, (row.measured.download / 1e6 for row in found))
    latency = drawing.linear("ms an inference, 1 thread", (row.latency[1] for row in found))
    budget = BUDGETS[report.level]
    panels = [Panel("Size and latency", _scatter("MB", "ms", size, latency, found, None))]
    name = "accuracy" if summary.told(found) else "likeness"
    points = drawing.stretched(f"{name}, points", (v for row in found for v in _reach(row)), budget)
    for other, axis, heading in (("MB", size, "Size"), ("ms", latency, "Latency")):
        chart = _scatter(other, "points", axis, points, found, budget)
        panels.append(Panel(f"{heading} and {name}", chart))
    return panels


def latencies(report: OptimizationReport, found: Sequence[Row]) -> list[Strips]:
    """Return each measurement of each candidate, by threads and kind of input."""
    kinds = feeds(report)
    return [
        _strips(f"{figures.counted(threads, 'thread')}, {feed}", threads, feed, found)
        for feed in kinds
        for threads in sorted({t.threads for row in found for t in row.measured.timings})
    ]


def passes(report: OptimizationReport) -> list[Bar]:
    """Return the graph's nodes before and after each pass."""
    most = max((of.before for of in report.graph.passes), default=1) or 1
    return [
        Bar(
            name=of.name,
            detail=f"undone: {of.undone}"
            if of.undone
            else f"largest error {figures.small(of.max_error)}",
            chart=charts.bar(of.after / most, "", before=of.before / most),
            figure=f"{of.before} → {of.after}" if of.before != of.after else f"{of.after}",
            marked=of.before != of.after,
        )
        for of in report.graph.passes
    ]


def weights(report: OptimizationReport) -> tuple[list[Bar], str]:
    """Return what weights cost as int8, largest first, and a sentence about those left out."""
    found = sorted(report.sensitivities, key=lambda of: -of.loss)
    most = max((of.loss for of in found if math.isfinite(of.loss)), default=1.0) or 1.0
    shown = [of for place, of in enumerate(found) if place < WEIGHTS or of.kept]
    bars = [
        Bar(
            name=of.tensor,
            detail=f"{of.operator}, {figures.counted(of.weights, 'weight')}",
            chart=charts.bar(of.loss / most if math.isfinite(of.loss) else 1, "", marked=of.kept),
            figure=figures.small(of.loss),
            marked=of.kept,
        )
        for of in shown
    ]
    left = len(found) - len(shown)
    if not left:
        return bars, ""
    rest = figures.counted(left, "more weight")
    return bars, f"{rest}: {figures.small(found[-1].loss)} to {figures.small(shown[-1].loss)}."


def _scatter(
    name: str,
    other: str,
    across: drawing.Axis,
    up: drawing.Axis,
    found: Sequence[Row],
    budget: float | None,
) -> Markup:
    dots = [
        Dot(
            number=number,
            x=_value(name, row),
            y=_value(other, row),
            ends=row.ends if other == "points" else None,
            kind=_kind(row),
            shape=SHAPES.get(row.engine, "circle"),
            over=row.over,
            words=_words(number, row),
        )
        for number, row in enumerate(found, 1)
    ]
    title = f"{across.label} and {up.label} of {figures.counted(len(dots), 'candidate')}"
    # The chosen one last: nothing may cover it.
    return charts.scatter(title, across, up, dots[::-1], budget)


def _value(name: str, row: Row) -> float:
    if name == "MB":
        return row.measured.download / 1e6
    if name == "ms":
        return row.latency[1]
    return row.points


def _reach(row: Row) -> Sequence[float]:
    return (row.points, *(row.ends or ()))


def _kind(row: Row) -> Kind:
    if row.measured.chosen:
        return "chosen"
    return "front" if row.measured.pareto else "rest"


def _words(number: int, row: Row) -> str:
    return (
        f"{number} {row.name} ({engines.title(row.engine)}): {figures.size(row.candidate.size)}, "
        f"{figures.milliseconds(row.latency[1])} ms, "
        f"{figures.points(row.points)} points"
    )


def _strips(heading: str, threads: int, feed: str, found: Sequence[Row]) -> Strips:
    timed = [(number, row, _timing(row, threads, feed)) for number, row in enumerate(found, 1)]
    there = [(number, row, timing) for number, row, timing in timed if timing is not None]
    end = charts.strip_end([timing.latency_ms for _, _, timing in there])
    strips = tuple(
        Strip(
            row=row,
            number=number,
            chart=charts.strip(timing.latency_ms, end, _strip_words(timing)),
            figure=f"{figures.milliseconds(median(timing.latency_ms))} ms",
            detail="" if row.baseline else figures.times(timing.speedup.value),
        )
        for number, row, timing in there
    )
    axis = drawing.linear("ms", [end])
    # The strips' own end, not the next round number: marks belong to what is above them.
    marks = drawing.Axis(axis.label, lambda value: value / end, axis.marks)
    return Strips(heading, strips, charts.scale(marks))


def _timing(row: Row, threads: int, feed: str) -> Timing | None:
    found = (t for t in row.measured.timings if (t.threads, t.feed) == (threads, feed))
    return next(found, None)


def _strip_words(timing: Timing) -> str:
    values = timing.latency_ms
    if not len(values):
        return "not measured"
    low, high = (figures.milliseconds(value) for value in (min(values), max(values)))
    return f"{figures.counted(len(values), 'measurement')} between {low} and {high} ms"
