"""A bar chart as SVG: medians as bars, every single measurement as a dot. Readable in the dark."""

import html
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 760
NAMES = 250
"""Where bars begin, in pixels; what is left of it belongs to their names."""
VALUES = 90
"""Pixels at the right for the medians in figures."""
ROW = 28
BAR = 14
TOP = 44

STYLE = """
text { font: 14px system-ui, sans-serif; fill: #1d2421 }
.title { font-weight: 600; font-size: 16px }
.group { font-weight: 600 }
.axis, .value { font-variant-numeric: tabular-nums }
.axis { font-size: 12px; fill: #5b6660 }
.grid { stroke: #d9ddd8 }
.bar { fill: #a9b5ae }
.ours { fill: #2f7d5b }
.dot { fill: #1d2421; fill-opacity: .45 }
.back { fill: #fff }
@media (prefers-color-scheme: dark) {
  text { fill: #e8ece9 }
  .axis { fill: #a5b0aa }
  .grid { stroke: #333b37 }
  .bar { fill: #5c6a63 }
  .ours { fill: #58b48a }
  .dot { fill: #fff }
  .back { fill: #141917 }
}
"""


@dataclass(frozen=True)
class Bar:
    """One series of measurements."""

    name: str
    values: Sequence[float]
    ours: bool = False
    """Drawn in the colour of what the chart is about."""


@dataclass(frozen=True)
class Group:
    """Bars that are compared with each other."""

    title: str
    bars: Sequence[Bar]


def svg(title: str, unit: str, groups: Sequence[Group]) -> str:
    """Return the chart.

    Example:
        >>> "<title>Time</title>" in svg("Time", "ms", [Group("One", [Bar("ours", [1.0, 2.0])])])
        True
    """
    values = (value for group in groups for bar in group.bars for value in bar.values)
    longest = max(values, default=1.0)
    step = _step(longest)
    scale = (WIDTH - NAMES - VALUES) / (math.ceil(longest / step) * step)
    rows: list[str] = []
    y = TOP
    for group in groups:
        rows.append(_text(12, y + 18, group.title, "group"))
        y += ROW
        for bar in group.bars:
            rows += _bar(bar, y, scale, unit)
            y += ROW
        y += ROW // 2
    height = y + 24
    lines = [
        f'<line class="grid" x1="{x:g}" x2="{x:g}" y1="{TOP}" y2="{y}"/>'
        f'<text class="axis" x="{x:g}" y="{y + 16}" text-anchor="middle">{value:g}</text>'
        for value, x in _marks(longest, step, scale)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="back" width="{WIDTH}" height="{height}"/>',
            _text(12, 26, title, "title"),
            *lines,
            *rows,
            "</svg>\n",
        ]
    )


def _bar(bar: Bar, y: int, scale: float, unit: str) -> list[str]:
    median = statistics.median(bar.values)
    top = y + (ROW - BAR) // 2
    kind = "bar ours" if bar.ours else "bar"
    furthest = max(bar.values) * scale
    return [
        _text(NAMES - 10, y + 19, bar.name, "name", 'text-anchor="end"'),
        f'<rect class="{kind}" x="{NAMES}" y="{top}" width="{median * scale:.1f}" height="{BAR}"/>',
        *(
            f'<circle class="dot" cx="{NAMES + value * scale:.1f}" cy="{y + ROW // 2}" r="2"/>'
            for value in bar.values
        ),
        _text(round(NAMES + furthest) + 10, y + 19, f"{_figure(median)} {unit}", "value"),
    ]


def _figure(value: float) -> str:
    """Three digits say enough."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def _step(longest: float) -> float:
    """Return a round distance between marks, so that there are about five."""
    rough: float = longest / 5
    unit: float = 10 ** math.floor(math.log10(rough))
    return next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)


def _marks(longest: float, step: float, scale: float) -> list[tuple[float, float]]:
    return [
        (number * step, NAMES + number * step * scale)
        for number in range(math.ceil(longest / step) + 1)
    ]


def _text(x: float, y: float, words: str, kind: str, more: str = "") -> str:
    space = " " if more else ""
    return f'<text class="{kind}" x="{x:g}" y="{y:g}"{space}{more}>{html.escape(words)}</text>'
