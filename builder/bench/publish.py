"""A report for people: the table on the terminal, and beside the JSON a page with a chart.

Everything is made from the published form of the report, so that a page that lies in the docs can
be held against the measurements that lie beside it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Column, Table

from builder.bench import chart
from builder.files import write_whole
from builder.progress import console, say
from builder.report import Report

Told = Mapping[str, Any]
"""A report as JSON."""


@dataclass(frozen=True)
class Series:
    """One sample of a report, in words."""

    sample: str
    words: str
    own: bool = False
    """Whether it is what the chart is about, although its name doesn't say that it is Satchel's."""

    @property
    def ours(self) -> bool:
        """Whether it measured Satchel, where something else is beside it."""
        return self.own or ".satchel" in self.sample


@dataclass(frozen=True)
class Story:
    """What a command's report is about."""

    title: str
    command: str
    text: str
    groups: Mapping[str, Sequence[Series]]
    """What is compared with each other, by its title."""
    ratios: Mapping[str, str]
    """What each ratio says."""
    figures: Mapping[str, str]
    """What each figure says; others are for the JSON alone."""
    more: Callable[[Told], str] = lambda told: ""
    """What the page says first, before ratios: Markdown."""


def show(report: Report) -> None:
    """Print everything in a report as a table."""
    rows = Table(Column("what", no_wrap=True), Column("value", justify="right"), "95 % interval")
    for name, sample in report.samples.items():
        rows.add_row(name, amount(sample["median"], sample["unit"]), "")
    for name, ratio in report.ratios.items():
        rows.add_row(name, f"{ratio.value:.3f}", f"{ratio.low:.3f} to {ratio.high:.3f}")
    for name, figure in report.figures.items():
        rows.add_row(name, amount(figure["value"], figure["unit"]), "")
    console.print(rows)


def write(report: Report, path: Path, story: Story) -> None:
    """Write the report, and beside it the page and its chart."""
    report.write(path)
    told = report.as_json()
    write_whole(path.with_suffix(".svg"), drawn(told, story))
    write_whole(path.with_suffix(".md"), page(told, story, path.with_suffix(".svg").name))
    say(f"Wrote {path}, and beside it {path.stem}.md and {path.stem}.svg.")


def read(path: Path) -> Told:
    """Read a report that was written."""
    told: Told = json.loads(path.read_text("utf-8"))
    return told


def drawn(told: Told, story: Story) -> str:
    """Return the chart of a report."""
    samples = told["samples"]
    groups = [
        chart.Group(
            title,
            [
                chart.Bar(one.words, samples[one.sample]["values"], ours=one.ours)
                for one in series
                if one.sample in samples
            ],
        )
        for title, series in story.groups.items()
    ]
    return chart.svg(story.title, "ms", [group for group in groups if group.bars])


def page(told: Told, story: Story, picture: str) -> str:
    """Return the page about a report, in Markdown."""
    machine, versions = told["machine"], told["versions"]
    where = (
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']} "
        f"{machine['architecture']}; " + ", ".join(f"{n} {v}" for n, v in sorted(versions.items()))
    )
    parts = [
        f"# {story.title}\n\n{story.text}\n\n![Medians and single measurements]({picture})\n",
        story.more(told),
        table(["", "ratio", "95 % interval"], _ratio_rows(told, story)),
        table(["", "median", "lowest to highest"], _sample_rows(told, story)),
        table(["", "value"], _figure_rows(told, story)),
        f"Measured by `{story.command}` on {where}.\n",
    ]
    return "\n".join(part for part in parts if part)


def _ratio_rows(told: Told, story: Story) -> list[list[str]]:
    return [
        [
            f"{words} (`{name}`)",
            _plain(found["value"]),
            f"{_plain(found['low'])} to {_plain(found['high'])}",
        ]
        for name, words in story.ratios.items()
        if (found := told["ratios"].get(name))
    ]


def _plain(ratio: float) -> str:
    """Three digits of what is small."""
    return f"{ratio:.2f}" if abs(ratio) >= 0.1 else f"{ratio:.3f}"


def _sample_rows(told: Told, story: Story) -> list[list[str]]:
    rows = []
    for title, series in story.groups.items():
        for one in series:
            if found := told["samples"].get(one.sample):
                low, high, unit = min(found["values"]), max(found["values"]), found["unit"]
                spread = f"{amount(low, unit)} to {amount(high, unit)}"
                rows.append([f"{title}: {one.words}", amount(found["median"], unit), spread])
    return rows


def _figure_rows(told: Told, story: Story) -> list[list[str]]:
    return [
        [f"{words} (`{name}`)", _with_interval(found)]
        for name, words in story.figures.items()
        if (found := told["figures"].get(name))
    ]


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown; without rows, nothing."""
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _with_interval(figure: Told) -> str:
    value, unit = amount(figure["value"], figure["unit"]), figure["unit"]
    if "low" not in figure:
        return value
    return f"{value} ({amount(figure['low'], unit)} to {amount(figure['high'], unit)})"


def amount(value: float, unit: str) -> str:
    """Write a value as people read it.

    Example:
        >>> amount(15_200_000, "bytes"), amount(51.94, "ms"), amount(-0.0152, "fraction")
        ('15.20 MB', '51.9 ms', '-1.5 %')
    """
    if unit == "bytes":
        return f"{value / 1e6:.2f} MB"
    if unit == "fraction":
        return f"{100 * value:.1f} %"
    return (
        f"{value:.0f} {unit}" if abs(value) >= 100 or value == int(value) else f"{value:.1f} {unit}"
    )
