"""Ratios of interleaved samples, with an interval that says how far to trust them.

Whole rounds are drawn, with what was measured of both arms in them, so that noise which hit both
cancels out (Efron & Tibshirani, An Introduction to the Bootstrap, 1993).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from satchel_models.results import Estimate

RESAMPLES = 4000
SEED = 7

LEVELS = (2.5, 97.5)
"""Percentiles of a 95 % interval."""


def paired(numerator: Sequence[float], denominator: Sequence[float]) -> Estimate:
    """The ratio of medians of paired samples.

    Args:
        numerator: One arm's measurements, by round.
        denominator: The other arm's, of the same rounds.

    >>> paired([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    Estimate(value=2.0, low=2.0, high=2.0)
    """
    return geometric([numerator], [denominator])


def geometric(
    numerators: Sequence[Sequence[float]], denominators: Sequence[Sequence[float]]
) -> Estimate:
    """The geometric mean of several ratios of medians: one for each kind of measurement.

    Args:
        numerators: One arm's measurements: by kind, then by round.
        denominators: The other arm's, of the same rounds.

    >>> geometric([[4.0, 4.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]])
    Estimate(value=2.0, low=2.0, high=2.0)
    """
    a, b = np.asarray(numerators, float), np.asarray(denominators, float)
    if a.shape != b.shape or not a.size:
        raise ValueError(f"paired samples of one length are needed, not {a.shape} and {b.shape}")
    drawn = np.random.default_rng(SEED).integers(0, a.shape[1], (RESAMPLES, a.shape[1]))
    ratios = np.median(a[:, drawn], axis=2) / np.median(b[:, drawn], axis=2)
    low, high = np.percentile(_mean(ratios), LEVELS)
    whole = _mean(np.median(a, axis=1) / np.median(b, axis=1))
    return Estimate(float(whole), float(low), float(high))


def _mean(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Geometric mean over the first axis."""
    return np.asarray(np.exp(np.log(ratios).mean(axis=0)))
