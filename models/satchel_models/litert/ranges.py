"""Ranges of a network's activations: what calibration sees, and how much of it int8 should hold.

256 steps over all that was ever seen are coarse where almost everything is: a range that cuts the
rarest values off, at which the squared error of all is least, costs less. The same is done with
weights (`satchel_models.quantisation.rounding`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from satchel_models.litert.exchange import Ranges

BINS = 2048
STEPS = 256
"""Of int8."""

SHARES = [share / 100 for share in range(100, 29, -1)]
"""Of the whole range that are tried, largest first."""


def measured(
    data: bytes, names: Sequence[str], feeds: Sequence[Mapping[str, NDArray[Any]]]
) -> Ranges:
    """The range of each of these tensors, for least squared error in int8.

    Args:
        data: A file whose tensors have names of their own.
        names: Of tensors that are computed.
        feeds: Inputs, as the file takes them.
    """
    whole = dict.fromkeys(names, (0.0, 0.0))
    for values in _runs(data, names, feeds):
        for name, value in values.items():
            low, high = whole[name]
            whole[name] = (min(low, float(value.min())), max(high, float(value.max())))
    counts = {name: np.zeros(BINS) for name in names}
    for values in _runs(data, names, feeds):
        for name, value in values.items():
            counts[name] += np.histogram(value, BINS, whole[name])[0]
    return {name: least_error(counts[name], *whole[name]) for name in names}


def least_error(counts: NDArray[np.float64], low: float, high: float) -> tuple[float, float]:
    """The part of a range that int8 holds with least squared error.

    Args:
        counts: How many values lie in each of as many equal parts of the range.
        low: Where it begins: 0 or less.
        high: Where it ends: 0 or more.

    >>> counts = np.zeros(100)
    >>> counts[40:60], counts[-1] = 1e6, 1
    >>> low, high = least_error(counts, -1.0, 1.0)
    >>> -1 < low < -0.2 and 0.2 < high < 1
    True
    """
    edges = np.linspace(low, high, len(counts) + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    best, chosen = np.inf, (low, high)
    for share in SHARES:
        a, b = low * share, high * share
        cut = middles - np.clip(middles, a, b)
        inside = (middles >= a) & (middles <= b)
        step = (b - a) / (STEPS - 1)
        error = float((counts * cut**2).sum() + counts[inside].sum() * step**2 / 12)
        if error < best:
            best, chosen = error, (a, b)
    return chosen


def _runs(
    data: bytes, names: Sequence[str], feeds: Sequence[Mapping[str, NDArray[Any]]]
) -> Iterator[dict[str, NDArray[Any]]]:
    """These tensors' values in each run."""
    interpreter = Interpreter(
        model_content=data,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    places = {one["name"]: one["index"] for one in interpreter.get_input_details()}
    places |= {one["name"]: one["index"] for one in interpreter.get_tensor_details()}
    for feed in feeds:
        for name, value in feed.items():
            interpreter.set_tensor(places[name], value)
        interpreter.invoke()
        yield {name: interpreter.get_tensor(places[name]) for name in names}
