"""The optimiser's words in a terminal: the report's tables, for 80 columns and for more."""

from collections.abc import Iterable

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from satchel_models import engines
from satchel_models.report import figures, summary
from satchel_models.report.levels import Levels
from satchel_models.report.printable import printable
from satchel_models.report.rows import THREADS, EngineRow, Row, engine_rows, mean_note, rows
from satchel_models.results import OptimizationReport

WIDE = 132
"""Columns from which a candidate is one line, with its interval beside the figure."""

NARROW_HEADINGS = (
    "MB\nsaved",
    "ms, 1 thr.\n2 thr.",
    "speedup\n1 thread",
    "session ms\nCPU ms",
)
WIDE_HEADINGS = (
    "MB",
    "saved",
    "ms\n1 thr.",
    "ms\n2 thr.",
    "speedup\n1 thread",
    "session\nms",
    "CPU\nms",
)


def show(report: OptimizationReport, console: Console) -> None:
    """Print a report.

    Args:
        report: What became of the model.
        console: Where to; its width decides what stands on one line.
    """
    report = printable(report)
    for warning in report.warnings:
        console.print(
            Panel(Text(warning), title="Warning", border_style="bold yellow", title_align="left")
        )
    console.print(Text(summary.headline(report), style="bold"))
    console.print(Text(summary.circumstances(report), style="dim"))
    for part in _parts(report, console):
        console.print()
        console.print(part)


def show_levels(levels: Levels, console: Console) -> None:
    """Print how the levels of one model differ."""
    levels = printable(levels)
    table = _table("Levels")
    table.add_column("level\nbudget", no_wrap=True)
    table.add_column("chosen\nof how many", overflow="fold", min_width=12)
    headings = ("nodes\nbefore", "MB\nsaved", "speedup\n1 thread", "accuracy\npoints", "took")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for level in levels.rows:
        table.add_row(
            f"{level.level}\n{figures.budget(level.budget)}",
            Text(
                "\n".join(
                    [level.chosen or figures.NOTHING, *level.others, f"{len(level.candidates)}"]
                )
            ),
            f"{level.nodes}\n{level.nodes_before}",
            f"{figures.megabytes(level.size)}\n{figures.percent(level.size_reduction)}",
            _lines(figures.times(level.speedup.value), figures.spread(level.speedup)),
            _lines(figures.points(level.delta), figures.interval(level.interval)),
            figures.duration(level.seconds).replace("min ", "min\n"),
        )
    console.print(table)
    for sentence in levels.differences:
        console.print(Text(sentence))


def _parts(report: OptimizationReport, console: Console) -> Iterable[RenderableType]:
    yield _candidates(report, console)
    if found := engine_rows(report):
        yield _engines(found)
    if report.graph.passes:
        yield _passes(report)
    kept = [of for of in report.sensitivities if of.kept]
    if kept:
        yield Text(
            f"Kept in float, since they cost most as int8: {', '.join(of.tensor for of in kept)}."
        )
    if report.rejected:
        yield _rejected(report)
    if report.converted.notes or report.graph.notes or report.notes:
        yield _notes(report)


def _candidates(report: OptimizationReport, console: Console) -> RenderableType:
    wide = console.width >= WIDE
    found = rows(report)
    chosen, front = ("*", "o") if console.options.ascii_only else ("✔", "◆")
    table = _table("Candidates")
    table.add_column("", no_wrap=True)
    table.add_column("name\nengine" if not wide else "name", overflow="fold", min_width=16)
    last = "accuracy\npoints" if summary.told(found) else "likeness"
    for heading in (*(WIDE_HEADINGS if wide else NARROW_HEADINGS), last):
        table.add_column(heading, justify="right", no_wrap=True)
    if wide:
        table.add_column("engine", no_wrap=True)
    for row in found:
        marks = (chosen if row.measured.chosen else " ") + (front if row.measured.pareto else " ")
        engine = row.candidate.engine
        cells = [*_figures(row, wide=wide), *([engine] if wide else [])]
        name = Text(row.name if wide else f"{row.name}\n{engine}")
        table.add_row(marks, name, *cells, style="bold green" if row.measured.chosen else None)
    legend = (
        f"{chosen} chosen; {front} on the Pareto front: nothing else is at least as good in bytes "
        "(engine included), latency, CPU time and accuracy, and better in one. Ranges are 95 % "
        f"intervals; CPU time is of one inference with one thread. {mean_note(report)}"
    )
    return Group(table, Text(legend.strip(), style="dim"), Text(), _reasons(found))


def _engines(found: Iterable[EngineRow]) -> RenderableType:
    """What each engine offers at its best, and how far the winner is ahead of it."""
    table = _table("Engines")
    table.add_column("engine\nchosen", overflow="fold", min_width=16)
    for heading in ("engine\nwith model", *(f"winner's\ntime, {n} thr." for n in THREADS)):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in found:
        table.add_row(
            Text(f"{engines.title(row.engine.name)}\n{row.chosen}"),
            f"{figures.size(row.engine.bytes)}\n{row.download}",
            *(_lines(*row.time(threads)) for threads in THREADS),
            style="bold green" if row.winner else None,
        )
    return table


def _figures(row: Row, *, wide: bool) -> Iterable[str]:
    """Yield a candidate's cells: figures that belong together share one where there's no room."""
    of = row.measured
    size = (figures.megabytes(row.candidate.size), figures.percent(of.size_reduction))
    latency = [figures.milliseconds(row.latency[threads]) for threads in THREADS]
    costs = (figures.milliseconds(row.creation_ms), figures.milliseconds(row.cpu_seconds[1] * 1e3))
    speedup = (figures.times(of.speed.value), figures.spread(of.speed))
    accuracy = summary.accuracy_cells(of.accuracy)
    if not wide:
        yield from (_lines(*pair) for pair in (size, latency, speedup, costs, accuracy))
        return
    yield from (*size, *latency, " ".join(_without_gaps(*speedup)), *costs)
    yield " ".join(_without_gaps(*accuracy))


def _lines(figure: str, below: str) -> str:
    return "\n".join(_without_gaps(figure, below))


def _without_gaps(figure: str, beside: str) -> Iterable[str]:
    """Write an interval shortly; an unknown one not at all where its figure is unknown, too."""
    yield figure
    if (figure, beside) != (figures.NOTHING, figures.NOTHING):
        yield beside.replace(" to ", "…")


def _reasons(found: Iterable[Row]) -> RenderableType:
    """Say why, a line for each: sentences don't fit into a table of figures."""
    table = _table("Why")
    table.add_column("", overflow="fold", max_width=30)
    table.add_column("", overflow="fold", ratio=1)
    table.show_header = False
    for row in found:
        style = "bold green" if row.measured.chosen else None
        words = " ".join(filter(None, (row.measured.why, row.measured.needs_why)))
        table.add_row(Text(row.name), Text(words), style=style)
    return table


def _passes(report: OptimizationReport) -> RenderableType:
    table = _table("Graph passes")
    table.add_column("pass", overflow="fold")
    for heading in ("nodes", "after", "largest error"):
        table.add_column(heading, justify="right", no_wrap=True)
    for of in report.graph.passes:
        style = "dim" if of.before == of.after else None
        error = "undone" if of.undone else figures.small(of.max_error)
        table.add_row(Text(of.name), str(of.before), str(of.after), error, style=style)
    return table


def _notes(report: OptimizationReport) -> RenderableType:
    table = _table("Notes")
    table.add_column("", overflow="fold", ratio=1)
    table.show_header = False
    for note in (*report.converted.notes, *report.graph.notes, *report.notes):
        table.add_row(Text(note))
    return table


def _rejected(report: OptimizationReport) -> RenderableType:
    table = _table("Could not be made or run")
    table.add_column("", overflow="fold", max_width=30, style="yellow")
    table.add_column("", overflow="fold", ratio=1)
    table.show_header = False
    for of in report.rejected:
        table.add_row(Text(of.name), Text(of.reason))
    return table


def _table(title: str) -> Table:
    return Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        collapse_padding=True,
    )
