"""The report as Markdown: a few sentences and a table, for the text of a pull request."""

import re
from collections.abc import Iterable, Sequence

from satchel_models import engines
from satchel_models.report import figures, summary
from satchel_models.report.levels import Levels
from satchel_models.report.printable import printable
from satchel_models.report.rows import THREADS, EngineRow, Row, engine_rows, mean_note, rows
from satchel_models.results import OptimizationReport

SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~&])")
"""Means something to Markdown."""

LINKED = re.compile(r"(?i)([@#]|\b(?:https?|www)(?=[:.]))")
"""Makes GitHub link, or call somebody, even where it is escaped: what follows must be torn off."""

APART = "\N{ZERO WIDTH NON-JOINER}"


def markdown(report: OptimizationReport, levels: Levels | None = None) -> str:
    """Return the text.

    Args:
        report: What became of the model.
        levels: The same model at several levels, to be compared; None: this one only.
    """
    report, levels = printable(report), printable(levels)
    found = rows(report)
    parts = [
        f"### {plain(report.model)} for {plain(report.target)}, level {report.level}",
        *(f"> [!WARNING]\n> {plain(warning)}" for warning in report.warnings),
        plain(summary.headline(report)),
        plain(summary.circumstances(report)),
        _candidates(found),
        *([_engines(sides)] if (sides := engine_rows(report)) else []),
        f"✔ chosen, ◆ on the Pareto front; ranges are 95 % intervals. {mean_note(report)}".strip(),
    ]
    if report.rejected:
        parts.append("\n".join(f"- {code(of.name)}: {plain(of.reason)}" for of in report.rejected))
    if levels:
        parts += [_levels(levels), "\n".join(f"- {plain(s)}" for s in levels.differences)]
    return "\n\n".join([*parts, _again(report)]) + "\n"


def plain(words: str) -> str:
    r"""Return words that Markdown shows as they are.

    Example:
        >>> plain("a|b *c* d")
        'a\\|b \\*c\\* d'
    """
    return LINKED.sub(rf"\1{APART}", SPECIAL.sub(r"\\\1", words))


def code(words: str) -> str:
    """Return words as code, whatever they hold; in a table's cell, too.

    Example:
        >>> code("int8-weights"), code("a`b")
        ('`int8-weights`', '`` a`b ``')
    """
    longest = max((len(run) for run in re.findall("`+", words)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    inside = words.replace("|", "\\|")
    return f"{fence}{space}{inside}{space}{fence}"


def _candidates(found: Sequence[Row]) -> str:
    heads = ("", "candidate", "engine", "size", "saved", "ms, 1 thread", "2 threads", "speed")
    last = "accuracy, points" if summary.told(found) else "likeness"
    lines = (
        (
            ("✔" if row.measured.chosen else "") + ("◆" if row.measured.pareto else ""),
            code(row.name),
            engines.title(row.engine),
            figures.size(row.candidate.size),
            figures.percent(row.measured.size_reduction),
            figures.milliseconds(row.latency[1]),
            figures.milliseconds(row.latency[2]),
            _within(figures.times(row.measured.speed.value), figures.spread(row.measured.speed)),
            _within(*summary.accuracy_cells(row.measured.accuracy)),
        )
        for row in found
    )
    return _table((*heads, last), "lll" + "r" * 6, lines)


def _engines(found: Iterable[EngineRow]) -> str:
    heads = ("engine", "chosen", "download", "with model", "winner's time, 1 thread", "2 threads")
    lines = (
        (
            engines.title(row.engine.name),
            code(row.chosen) if row.picked else row.chosen,
            figures.size(row.engine.bytes),
            row.download,
            *(_within(*row.time(threads)) for threads in THREADS),
        )
        for row in found
    )
    return _table(heads, "llrrrr", lines)


def _levels(levels: Levels) -> str:
    heads = ("level", "chosen", "nodes", "measured", "size", "speed", "accuracy, points")
    lines = (
        (
            f"{of.level}, {figures.budget(of.budget)}",
            code(of.chosen) if of.chosen else figures.NOTHING,
            f"{of.nodes_before} → {of.nodes}",
            str(len(of.candidates)),
            figures.size(of.size),
            _within(figures.times(of.speedup.value), figures.spread(of.speedup)),
            _within(figures.points(of.delta), figures.interval(of.interval)),
        )
        for of in levels.rows
    )
    return _table(heads, "ll" + "r" * 5, lines)


def _again(report: OptimizationReport) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    machine = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    return "\n\n".join(
        [
            "<details><summary>How to do it again</summary>",
            code(report.command),
            plain(f"Seed {report.seed}. {versions}. Measured on: {machine}."),
            "</details>",
        ]
    )


def _within(figure: str, ends: str) -> str:
    return figure if ends == figures.NOTHING else f"{figure} ({ends})"


def _table(heads: Sequence[str], sides: str, lines: Iterable[Sequence[str]]) -> str:
    rule = ["---:" if side == "r" else "---" for side in sides]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *lines))
