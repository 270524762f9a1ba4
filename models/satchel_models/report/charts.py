"""The page's charts as SVG: scatters, strips of measurements, bars. Colours are the stylesheet's.

Strips and bars have coordinates in percent: they take the width that they get, and nothing in them
is stretched.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

import numpy as np
from markupsafe import Markup

from satchel_models.report.drawing import Axis, front, label_places, staircase

WIDTH, HEIGHT = 380, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 28, 44
"""Margins of a scatter; it is drawn for the width of a phone and stands three abreast elsewhere."""

BEYOND = 1.25
"""A strip ends at this multiple of the slowest candidate's 95th percentile: one stalled inference
of a busy machine would squeeze all others together."""

Kind = Literal["chosen", "front", "rest"]

Shape = Literal["circle", "diamond"]


@dataclass(frozen=True)
class Dot:
    """A candidate in a scatter.

    Attributes:
        number: By which the table names it.
        x: Its value on the horizontal axis.
        y: Its value on the vertical one.
        ends: The interval of `y`; None: there is none.
        kind: How it is drawn.
        shape: Of its mark.
        over: Whether it costs more accuracy than the level allows.
        words: What a pointer over it shows.
    """

    number: int
    x: float
    y: float
    ends: tuple[float, float] | None
    kind: Kind
    shape: Shape
    over: bool
    words: str


def scatter(
    title: str, across: Axis, up: Axis, dots: Sequence[Dot], budget: float | None
) -> Markup:
    """Return candidates by two of their figures.

    Args:
        title: For those who can't see it.
        across: The horizontal axis.
        up: The vertical one.
        dots: Candidates; later ones lie above earlier ones.
        budget: Points that may be lost, marked on the vertical axis; None: it has none.
    """
    shown = [dot for dot in dots if math.isfinite(dot.x) and math.isfinite(dot.y)]
    svg = _svg("scatter", title, viewBox=f"0 0 {WIDTH} {HEIGHT}")
    _axes(svg, across, up)
    if budget is not None:
        y = _up(up, -budget)
        _add(svg, "line", "budget", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y)
        _text(svg, "budget", "budget", WIDTH - RIGHT - 2, y + 13, "end")
    _front(svg, across, up, shown)
    places = [(_across(across, dot.x), _up(up, dot.y)) for dot in shown]
    labels = label_places(places, (15, 13), (WIDTH, HEIGHT - BOTTOM))
    for dot, place, label in zip(shown, places, labels, strict=True):
        _dot(svg, dot, place, label, up)
    return _markup(svg)


def strip(values: Sequence[float], end: float, words: str) -> Markup:
    """Return one series of measurements: each a dot, the middle half a box, the median a line.

    Args:
        values: Measurements.
        end: Value at the right edge; what lies beyond is drawn there, hollow.
        words: For those who can't see it.
    """
    svg = _svg("strip", words)
    if not len(values):
        return _markup(svg)
    low, middle, high = np.percentile(values, [25, 50, 75])
    box = {"x": _percent(low / end), "width": _percent(max(high - low, 0) / end)}
    _add(svg, "rect", "box", **box)
    for number, value in enumerate(values):
        # Scattered in height, so that a crowd shows as one; by the golden ratio, evenly.
        height = f"{3 + 16 * (number * 0.618034 % 1):.1f}"
        kind = "beyond" if value > end else ""
        _add(svg, "circle", kind, cx=_percent(min(value / end, 0.995)), cy=height)
    place = _percent(min(middle / end, 1))
    _add(svg, "line", "median", x1=place, x2=place, y1=1, y2=21)
    return _markup(svg)


def strip_end(series: Sequence[Sequence[float]]) -> float:
    """Return the value at which strips that are compared with each other end."""
    filled = [values for values in series if len(values)]
    if not filled:
        return 1.0
    usual = max(float(np.percentile(values, 95)) for values in filled)
    return min(max(max(values) for values in filled), BEYOND * usual) * 1.02 or 1.0


def scale(axis: Axis) -> Markup:
    """Return the marks under strips."""
    svg = _svg("scale", "")
    for value, text in axis.marks:
        place = axis.place(value)
        if place <= 1:
            anchor = "start" if place < 0.02 else "end" if place > 0.95 else "middle"
            mark = _add(svg, "text", "", x=_percent(place), y=12)
            mark.set("text-anchor", anchor)
            mark.text = text
    return _markup(svg)


def bar(share: float, words: str, *, before: float | None = None, marked: bool = False) -> Markup:
    """Return a bar.

    Args:
        share: Of the full width, 0 to 1.
        words: For those who can't see it.
        before: What it was before: drawn pale, behind it.
        marked: Whether it is drawn as one that stands out.
    """
    svg = _svg("bar", words)
    if before is not None:
        _add(svg, "rect", "before", width=_percent(before))
    _add(svg, "rect", "marked" if marked else "", width=_percent(share))
    return _markup(svg)


def _axes(svg: ElementTree.Element, across: Axis, up: Axis) -> None:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for value, text in up.marks:
        y = _up(up, value)
        _add(svg, "line", "grid", x1=LEFT, x2=right, y1=y, y2=y)
        _text(svg, "mark", text, LEFT - 6, y + 4, "end")
    for value, text in across.marks:
        x = _across(across, value)
        _add(svg, "line", "grid", x1=x, x2=x, y1=TOP, y2=bottom)
        _text(svg, "mark", text, x, bottom + 16, "middle")
    _text(svg, "label", up.label, 4, 14, "start")
    _text(svg, "label", across.label, right, HEIGHT - 8, "end")


def _front(svg: ElementTree.Element, across: Axis, up: Axis, dots: Sequence[Dot]) -> None:
    """Draw the line that no candidate passes, as far as these two figures are concerned."""
    sign = -1 if up.more_is_better else 1
    corners = staircase(front([(dot.x, sign * dot.y) for dot in dots]))
    points = (f"{_across(across, x):g},{_up(up, sign * y):g}" for x, y in corners)
    _add(svg, "polyline", "front", points=" ".join(points))


def _dot(
    svg: ElementTree.Element,
    dot: Dot,
    place: tuple[float, float],
    label: tuple[float, float],
    up: Axis,
) -> None:
    (x, y), (label_x, label_y) = place, label
    group = _add(svg, "g", f"dot {dot.kind}{' over' if dot.over else ''}")
    ElementTree.SubElement(group, "title").text = dot.words
    if dot.ends is not None and all(map(math.isfinite, dot.ends)):
        low, high = (_up(up, end) for end in dot.ends)
        _add(group, "line", "ends", x1=x, x2=x, y1=low, y2=high)
    if math.dist(place, label) > 14:
        near = 1 - 7 / math.dist(place, label)
        towards = x + (label_x - x) * near, y + (label_y - y) * near
        _add(group, "line", "lead", x1=x, y1=y, x2=towards[0], y2=towards[1])
    _mark(group, dot, x, y)
    _text(group, "number", str(dot.number), label_x, label_y + 4, "middle")


def _mark(group: ElementTree.Element, dot: Dot, x: float, y: float) -> None:
    radius = 5 if dot.kind != "chosen" else 6
    if dot.shape == "circle":
        _add(group, "circle", "mark", cx=x, cy=y, r=radius)
        return
    # A little further out than a circle, so that both cover as much.
    out = radius * 1.25
    corners = ((x, y - out), (x + out, y), (x, y + out), (x - out, y))
    points = " ".join(f"{round(a, 1):g},{round(b, 1):g}" for a, b in corners)
    _add(group, "polygon", "mark", points=points)


def _across(axis: Axis, value: float) -> float:
    return round(LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT), 1)


def _up(axis: Axis, value: float) -> float:
    height = HEIGHT - TOP - BOTTOM
    return round(TOP + (1 - min(max(axis.place(value), 0), 1)) * height, 1)


def _svg(kind: str, title: str, **more: object) -> ElementTree.Element:
    """Begin a drawing; one without words is left out where a page is read aloud."""
    svg = ElementTree.Element("svg", {"class": kind})
    for name, value in more.items():
        svg.set(name, str(value))
    if title:
        svg.set("role", "img")
        svg.set("aria-label", title)
    else:
        svg.set("aria-hidden", "true")
    return svg


def _add(parent: ElementTree.Element, tag: str, kind: str, **more: object) -> ElementTree.Element:
    made = ElementTree.SubElement(parent, tag, {"class": kind} if kind else {})
    for name, value in more.items():
        made.set(name, f"{value:g}" if isinstance(value, float) else str(value))
    return made


def _text(
    parent: ElementTree.Element, kind: str, words: str, x: float, y: float, anchor: str
) -> None:
    made = _add(parent, "text", kind, x=round(x, 1), y=round(y, 1))
    made.set("text-anchor", anchor)
    made.text = words


def _percent(share: float) -> str:
    return f"{round(share * 100, 2):g}%"


def _markup(svg: ElementTree.Element) -> Markup:
    # ElementTree has escaped every text and attribute.
    return Markup(ElementTree.tostring(svg, encoding="unicode"))  # noqa: S704
