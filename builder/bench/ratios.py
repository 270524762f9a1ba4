"""Ratios of interleaved samples, as reports of `bench` have them."""

from collections.abc import Sequence

from builder.report import Ratio
from satchel_models.measurement import ratios


def paired(numerator: Sequence[float], denominator: Sequence[float]) -> Ratio:
    """Return the ratio of medians of paired samples, with a 95 % bootstrap interval.

    Args:
        numerator: One arm's measurements, by round.
        denominator: The other arm's, of the same rounds.

    Example:
        >>> ratio = paired([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
        >>> ratio.value, ratio.low, ratio.high
        (2.0, 2.0, 2.0)
    """
    found = ratios.paired(numerator, denominator)
    return Ratio(found.value, found.low, found.high)
