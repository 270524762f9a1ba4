"""Ratios of interleaved samples, with an interval that says how far to trust them."""

from collections.abc import Sequence

import numpy as np

from builder.report import Ratio

RESAMPLES = 4000
SEED = 7


def paired(numerator: Sequence[float], denominator: Sequence[float]) -> Ratio:
    """Return the ratio of medians of paired samples, with a 95 % bootstrap interval.

    Whole pairs are drawn, so that noise which hit both arms of a round cancels out
    (Efron & Tibshirani, An Introduction to the Bootstrap, 1993).

    Args:
        numerator: One arm's measurements, by round.
        denominator: The other arm's, of the same rounds.

    Example:
        >>> ratio = paired([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
        >>> ratio.value, ratio.low, ratio.high
        (2.0, 2.0, 2.0)
    """
    a, b = np.asarray(numerator, float), np.asarray(denominator, float)
    if a.shape != b.shape or not a.size:
        raise ValueError(f"paired samples of one length are needed, not {a.size} and {b.size}")
    drawn = np.random.default_rng(SEED).integers(0, a.size, (RESAMPLES, a.size))
    spread = np.median(a[drawn], axis=1) / np.median(b[drawn], axis=1)
    low, high = np.percentile(spread, [2.5, 97.5])
    return Ratio(float(np.median(a) / np.median(b)), float(low), float(high))
