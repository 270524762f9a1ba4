"""Ratios of interleaved samples, as reports of `bench` have them."""

from collections.abc import Sequence

import numpy as np

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


def totals(numerator: Sequence[float], denominator: Sequence[float]) -> Ratio:
    """Return the ratio of sums of paired samples, with a 95 % bootstrap interval.

    For what a coarse clock measured, or what is seldom and counts all the same.

    Args:
        numerator: One arm's measurements, by round.
        denominator: The other arm's, of the same rounds.

    Example:
        >>> ratio = totals([1.0, 0.0, 2.0], [2.0, 0.0, 4.0])
        >>> ratio.value, ratio.high
        (0.5, 0.5)
    """
    a, b = np.asarray(numerator, float), np.asarray(denominator, float)
    if a.shape != b.shape or not a.size:
        raise ValueError(f"paired samples of one length are needed, not {a.shape} and {b.shape}")
    drawn = np.random.default_rng(ratios.SEED).integers(0, a.size, (ratios.RESAMPLES, a.size))
    below = b[drawn].sum(axis=1)
    spread = a[drawn].sum(axis=1)[below > 0] / below[below > 0]
    low, high = np.percentile(spread, ratios.LEVELS)
    return Ratio(float(a.sum() / b.sum()), float(low), float(high))
