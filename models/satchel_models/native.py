"""Graphs on this machine's CPU, to see whether a step's result runs and what it answers.

Figures that count are measured in a browser; here a graph is tried, cheaply and often.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from satchel_models import graph
from satchel_models.errors import GraphError
from satchel_models.recipe import Session
from satchel_models.steps import Feeds

SMALL = 1e-2
"""See `relative_difference`."""

Answers = list[NDArray[Any]]
"""A run's outputs, in the graph's order."""


def loaded(name: str, data: bytes, session: Session) -> onnxruntime.InferenceSession:
    """A session, as `graph.loaded` makes it.

    Raises:
        GraphError: It doesn't load; the message has the engine's words.
    """
    try:
        return graph.loaded(data, session)
    # onnxruntime's exceptions have no base of their own but Exception.
    except Exception as error:
        raise GraphError(f"{name} doesn't load: {words(error)}") from error


def answers(
    name: str, session: onnxruntime.InferenceSession, feeds: Sequence[Feeds]
) -> list[Answers]:
    """What a graph answers to each of `feeds`.

    Raises:
        GraphError: It fails on one.
    """
    taken = (*session.get_inputs(), *session.get_overridable_initializers())
    wanted = {value.name for value in taken}
    try:
        return [
            session.run(None, {key: value for key, value in one.items() if key in wanted})
            for one in feeds
        ]
    except Exception as error:
        raise GraphError(f"{name} doesn't run: {words(error)}") from error


def largest_difference(before: Sequence[Answers], after: Sequence[Answers]) -> float:
    """Largest absolute difference of two graphs' answers; infinite where they can't be compared.

    Values that are not finite must be the same in both.
    """
    largest = 0.0
    for one, other in zip(before, after, strict=True):
        if len(one) != len(other):
            return float("inf")
        for a, b in zip(one, other, strict=True):
            largest = max(largest, _difference(a, b))
    return largest


def relative_difference(before: Sequence[Answers], after: Sequence[Answers]) -> float:
    """Largest difference of two graphs' answers, as a share of that output's largest value.

    Outputs near zero throughout count as if their largest value were `SMALL`: float32 arithmetic
    in another order moves them by more than their own size.
    """
    shares = [0.0]
    for k in range(len(before[0]) if before else 0):
        one, other = ([found[k : k + 1] for found in both] for both in (before, after))
        numbers = (np.abs(_numbers(a)) for found in one for a in found)
        scale = max(float(v[np.isfinite(v)].max(initial=0.0)) for v in numbers)
        shares.append(largest_difference(one, other) / max(scale, SMALL))
    return max(shares)


def finite(found: Sequence[Answers]) -> bool:
    """Whether all numbers among answers are finite."""
    return all(bool(np.isfinite(_numbers(a)).all()) for one in found for a in one)


def words(error: Exception) -> str:
    """An exception of the engine's in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = " ".join(lines) or type(error).__name__
    return text if len(text) <= 300 else text[:299] + "…"


def _difference(a: NDArray[Any], b: NDArray[Any]) -> float:
    if a.shape != b.shape or a.dtype != b.dtype:
        return float("inf")
    x, y = _numbers(a), _numbers(b)
    usual = np.isfinite(x) & np.isfinite(y)
    same = np.array_equal(x[~usual], y[~usual], equal_nan=True)
    return float(np.abs(x[usual] - y[usual]).max(initial=0.0)) if same else float("inf")


def _numbers(values: NDArray[Any]) -> NDArray[np.float64]:
    """Answers as float64; text and the like count as nothing."""
    numeric = values.dtype.kind in "biuf"
    return values.astype(np.float64) if numeric else np.zeros(0, np.float64)
