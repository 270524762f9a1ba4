"""How figures are written for people: units, digits, signs and intervals, the same everywhere.

A figure that is not finite, or is not there, is a dash. Signs are plain hyphens, so that every
terminal can print them and a spreadsheet reads them.
"""

import math
from collections.abc import Sequence

from satchel_models.results import Estimate

NOTHING = "–"
"""Stands where there is no figure."""


def digits(value: float, count: int = 3) -> str:
    """Write a positive number with about `count` significant digits, never in powers of ten.

    Example:
        >>> digits(258.4), digits(47.123), digits(0.0479), digits(0)
        ('258', '47.1', '0.0479', '0')
    """
    if not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    places = count - 1 - math.floor(math.log10(abs(value)))
    return f"{value:.{min(max(places, 0), 9)}f}"


def small(value: float) -> str:
    """Write an error or a loss, whose size matters more than its digits.

    Example:
        >>> small(4.9e-6), small(0.0), small(0.032)
        ('4.9e-6', '0', '0.032')
    """
    if not math.isfinite(value):
        return NOTHING
    if value == 0 or abs(value) >= 1e-3:
        return f"{value:.2g}"
    return f"{value:.1e}".replace("e-0", "e-")


def size(count: float) -> str:
    """Write bytes as megabytes of 10⁶, small ones as kilobytes.

    Example:
        >>> size(4_842_113), size(23_400)
        ('4.84 MB', '23.4 kB')
    """
    if not math.isfinite(count):
        return NOTHING
    return f"{megabytes(count)} MB" if count >= 100_000 else f"{digits(count / 1e3)} kB"


def megabytes(count: float) -> str:
    """Write bytes as megabytes of 10⁶, without the unit."""
    return digits(count / 1e6)


def milliseconds(value: float) -> str:
    """Write a time in milliseconds, without the unit."""
    return digits(value)


def duration(seconds: float) -> str:
    """Write a time for which somebody waits.

    Example:
        >>> duration(0.31), duration(42.4), duration(195)
        ('0.3 s', '42 s', '3 min 15 s')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def percent(fraction: float, places: int = 0) -> str:
    """Write a fraction of 1 as a percentage.

    Example:
        >>> percent(0.7403), percent(0.8772, 1)
        ('74 %', '87.7 %')
    """
    return f"{fraction * 100:.{places}f} %" if math.isfinite(fraction) else NOTHING


def times(value: float) -> str:
    """Write a ratio.

    Example:
        >>> times(1.0249)
        '1.02×'
    """
    return f"{value:.2f}×" if math.isfinite(value) else NOTHING


def points(value: float | None) -> str:
    """Write a difference in percentage points, with its sign unless it rounds to nothing.

    Example:
        >>> points(-0.104), points(0.3), points(-0.001), points(None)
        ('-0.10', '+0.30', '0.00', '–')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    text = f"{value:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text


def budget(value: float) -> str:
    """Write what a level may cost.

    Example:
        >>> budget(0.5), budget(1.0)
        ('0.5 points', '1 point')
    """
    return f"{value:g} {'point' if value == 1 else 'points'}"


def interval(ends: Sequence[float] | None) -> str:
    """Write an interval of percentage points.

    Example:
        >>> interval((-0.62, 0.31))
        '-0.62 to +0.31'
    """
    return NOTHING if ends is None else f"{points(ends[0])} to {points(ends[1])}"


def spread(estimate: Estimate) -> str:
    """Write a ratio's interval.

    Example:
        >>> spread(Estimate(1.02, 0.985, 1.049))
        '0.98 to 1.05'
    """
    if not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return NOTHING
    return f"{estimate.low:.2f} to {estimate.high:.2f}"


def listing(words: Sequence[str]) -> str:
    """Join words as a sentence does.

    Example:
        >>> listing(["16", "64", "256 tokens"])
        '16, 64 and 256 tokens'
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number of things.

    Example:
        >>> counted(1, "sample"), counted(166, "sample")
        ('1 sample', '166 samples')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
