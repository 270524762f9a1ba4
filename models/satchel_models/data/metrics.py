"""How good answers are, and how sure one can be of a difference: pure functions of arrays.

Intervals are paired bootstraps: whole samples are drawn, with both models' answers to them, so that
what is hard for both cancels out (Efron & Tibshirani, An Introduction to the Bootstrap, 1993).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel_models.pairs import spearman
from satchel_models.results import Estimate

RESAMPLES = 4000

RANK_RESAMPLES = 1000
"""Each draw of a rank correlation sorts anew."""

LEVELS = (2.5, 97.5)
"""Percentiles of a 95 % interval."""

Floats = NDArray[np.float64]


def are_probabilities(scores: NDArray[Any]) -> bool:
    """Whether scores of classes, [samples, classes], are probabilities already, and not logits.

    >>> are_probabilities(np.array([[0.25, 0.75]])), are_probabilities(np.array([[2.0, 2.0]]))
    (True, False)
    """
    wide = np.asarray(scores, np.float64)
    return bool((wide >= 0).all() and np.allclose(wide.sum(axis=1), 1, atol=1e-3))


def softmax(logits: NDArray[Any]) -> Floats:
    """Logits, [samples, classes], as probabilities.

    >>> softmax(np.array([[2.0, 2.0]])).tolist()
    [[0.5, 0.5]]
    """
    wide = np.asarray(logits, np.float64)
    powers = np.exp(wide - wide.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def right(scores: NDArray[Any], truth: NDArray[Any], top: int) -> NDArray[np.bool_]:
    """Whether the true class is among the `top` best.

    Args:
        scores: [samples, classes].
        truth: Class indices, [samples].
        top: Classes that count.

    >>> right(np.array([[0.1, 0.7, 0.2]]), np.array([2]), 2).tolist()
    [True]
    """
    own = np.take_along_axis(scores, truth[:, None], axis=1)
    # Of equal scores the lower index comes first, as argmax has it.
    earlier = np.arange(scores.shape[1])[None, :] < truth[:, None]
    better = (scores > own) | ((scores == own) & earlier)
    return np.asarray(better.sum(axis=1) < top)


def true_probability(scores: NDArray[Any], truth: NDArray[Any], *, logits: bool) -> Floats:
    """The probability that each sample's true class gets: it moves where top-1 only jumps.

    Args:
        scores: [samples, classes].
        truth: Class indices, [samples].
        logits: Whether the scores are logits. The original says so: rounded to 8 bits, even
            probabilities don't sum to 1.
    """
    found = softmax(scores) if logits else np.asarray(scores, np.float64)
    return np.asarray(np.take_along_axis(found, truth[:, None], axis=1)[:, 0])


def same_first(scores: NDArray[Any], original: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each sample's best class is the original's."""
    return np.asarray(scores.argmax(axis=1) == original.argmax(axis=1))


def cosine(a: NDArray[Any], b: NDArray[Any]) -> float:
    """The cosine of two arrays of one shape, as vectors; 1 for two of zeros.

    >>> cosine(np.array([3.0, 4.0]), np.array([6.0, 8.0]))
    1.0
    """
    x, y = np.asarray(a, np.float64).ravel(), np.asarray(b, np.float64).ravel()
    lengths = float(np.linalg.norm(x) * np.linalg.norm(y))
    if lengths == 0:
        return 1.0 if not x.any() and not y.any() else 0.0
    return float(np.minimum(1.0, x @ y / lengths))  # it keeps what is no number


def paired_mean(values: NDArray[Any], original: NDArray[Any], seed: int) -> Estimate:
    """The mean difference of two models' values per sample, with its interval.

    >>> paired_mean(np.array([1.0, 2.0]), np.array([0.5, 1.5]), 0)
    Estimate(value=0.5, low=0.5, high=0.5)
    """
    change = np.asarray(values, np.float64) - np.asarray(original, np.float64)
    drawn = np.random.default_rng(seed).integers(0, change.size, (RESAMPLES, change.size))
    return estimate(float(change.mean()), change[drawn].mean(axis=1))


def paired_spearman(
    values: NDArray[Any], original: NDArray[Any], people: NDArray[Any], seed: int
) -> Estimate:
    """The difference of two models' rank correlations with people's scores, with its interval."""

    def difference(rows: NDArray[Any] | slice) -> float:
        return spearman(values[rows], people[rows]) - spearman(original[rows], people[rows])

    return _resampled(difference, people.size, seed)


def _resampled(difference: Callable[[Any], float], count: int, seed: int) -> Estimate:
    drawn = np.random.default_rng(seed).integers(0, count, (RANK_RESAMPLES, count))
    with np.errstate(invalid="ignore"):  # a draw of equal scores has no correlation
        spread = np.array([difference(rows) for rows in drawn])
    return estimate(difference(slice(None)), spread[np.isfinite(spread)])


def estimate(value: float, spread: NDArray[Any]) -> Estimate:
    """A value with the 95 % interval that draws of it span."""
    low, high = np.percentile(spread, LEVELS)
    return Estimate(value, float(low), float(high))
