"""Axes and places for the page's charts: where a value lies, which marks an axis has.

Satchel draws its own charts: a chart here is a few dozen elements that take colours from the
page's stylesheet, light and dark, under a policy without scripts. Libraries that draw SVG bring
scripts, styles and fonts of their own, or weigh more than the optimiser's other tools together.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

MARKS = 5
"""About so many on an axis."""

STRETCHED = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
"""Percentage points that an axis of accuracies can mark."""


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes:
        label: What it shows, with the unit.
        place: Value → 0 at the axis's beginning, 1 at its end.
        marks: Values that are marked, with their text.
        more_is_better: Whether the good end is the far one.
    """

    label: str
    place: Callable[[float], float]
    marks: tuple[tuple[float, str], ...]
    more_is_better: bool = False


def linear(label: str, values: Iterable[float]) -> Axis:
    """Return an axis from 0 to a round number above all values.

    Example:
        >>> axis = linear("MB", [2.9, 18.6])
        >>> axis.marks[-1], axis.place(10.0)
        ((20, '20'), 0.5)
    """
    longest = max((value for value in values if math.isfinite(value)), default=1.0) or 1.0
    step = round_step(longest)
    end = step * math.ceil(longest / step)
    count = round(end / step)
    marks = tuple((number * step, f"{number * step:g}") for number in range(count + 1))
    return Axis(label, lambda value: value / end, marks)


def stretched(label: str, values: Iterable[float], around: float) -> Axis:
    """Return an axis of percentage points, wide around 0 and narrow far from it.

    Losses of 0.1 and of 12 points then show on one axis: values lie at sign(v)·log(1 + |v| / a).

    Args:
        label: What it shows.
        values: That must be on it.
        around: The value from which on it gets narrow.
    """

    def bent(value: float) -> float:
        return math.copysign(math.log1p(abs(value) / around), value)

    found = [value for value in values if math.isfinite(value)]
    low, high = min([*found, -2 * around]), max([*found, around])
    bottom, top = bent(low), bent(high)
    possible = sorted([-value for value in STRETCHED] + [0.0, *STRETCHED])
    inside = [value for value in possible if low <= value <= high]

    def place(value: float) -> float:
        return (bent(value) - bottom) / (top - bottom)

    marks = tuple((value, _signed(value)) for value in _apart(inside, place))
    return Axis(label, place, marks, more_is_better=True)


def round_step(longest: float) -> float:
    """Return a round distance between marks from 0 to `longest`.

    Example:
        >>> round_step(84.0)
        20
    """
    rough = longest / MARKS
    unit: float = 10 ** math.floor(math.log10(rough))
    return next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)


def front(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the places that no other one beats in both respects (less is better), by the first.

    Example:
        >>> front([(1, 5), (2, 3), (3, 4), (4, 1)])
        [(1, 5), (2, 3), (4, 1)]
    """
    best: list[tuple[float, float]] = []
    for place in sorted(places):
        if not best or place[1] < best[-1][1]:
            best.append(place)
    return best


def staircase(corners: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the line under which nothing lies, as points: along, then down."""
    line = list(corners[:1])
    for before, after in pairwise(corners):
        line += [(after[0], before[1]), after]
    return line


def label_places(
    dots: Sequence[tuple[float, float]], size: tuple[float, float], box: tuple[float, float]
) -> list[tuple[float, float]]:
    """Return a free place for each dot's label, as near to the dot as there is one.

    Args:
        dots: Their places.
        size: A label's width and height.
        box: Width and height of the drawing, from (0, 0): labels stay inside.
    """
    taken = [(x, y, 10.0, 10.0) for x, y in dots]
    places = []
    for x, y in dots:
        free = (spot for spot in _around(x, y) if _fits(spot, size, taken, box))
        spot = next(free, (x, y))
        taken.append((*spot, *size))
        places.append(spot)
    return places


def _around(x: float, y: float) -> Iterable[tuple[float, float]]:
    for far in (13, 20, 28, 38, 50):
        # Right and left first: a number beside its dot reads as belonging to it.
        for turn in (0, 180, 315, 45, 225, 135, 270, 90, 338, 22, 202, 158):
            angle = math.radians(turn)
            yield x + far * math.cos(angle), y + far * math.sin(angle)


def _fits(
    spot: tuple[float, float],
    size: tuple[float, float],
    taken: Sequence[tuple[float, float, float, float]],
    box: tuple[float, float],
) -> bool:
    x, y = spot
    width, height = size
    if not (width / 2 <= x <= box[0] - width / 2 and height / 2 <= y <= box[1] - height / 2):
        return False
    return not any(
        abs(x - other_x) < (width + other_width) / 2
        and abs(y - other_y) < (height + other_height) / 2
        for other_x, other_y, other_width, other_height in taken
    )


def _apart(values: Sequence[float], place: Callable[[float], float]) -> list[float]:
    """Keep 0, and of the others those that don't crowd."""
    kept = [0.0]
    for value in sorted(values, key=abs):
        if all(abs(place(value) - place(other)) >= 0.085 for other in kept):
            kept.append(value)
    return sorted(kept)


def _signed(value: float) -> str:
    return f"{value:+g}".replace("-", "−") if value else "0"
