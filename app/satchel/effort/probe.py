"""Finding out in idle time what measures best here: how many threads, and what variants take.

Once for each model on each device: what is found is kept (`satchel.effort.kept`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from satchel.adaptive.limits import THREADS_MOST
from satchel.runtime import EdgeRuntime

__all__ = ["best", "candidates", "measured"]

WARM_UP, RUNS = 2, 5
"""Runs that don't count, and runs that do: some tenths of a second for a model of 20 ms."""

WORTH = 0.9
"""More threads have to bring it down to this part of the time: they take more energy."""


def candidates(most: int) -> tuple[int, ...]:
    """Numbers of threads to try, where so many can be used.

    >>> candidates(1), candidates(3), candidates(8)
    ((1,), (1, 2, 3), (1, 2, 4))
    """
    most = min(most, THREADS_MOST)
    return tuple(sorted({1, min(2, most), most}))


def best(seconds: Mapping[int, float]) -> int:
    """The number of threads to use: the fewest that nothing is clearly faster than.

    >>> best({1: 0.020, 2: 0.012, 4: 0.0115})
    2
    """
    fastest = min(seconds.values())
    return min(threads for threads, took in seconds.items() if WORTH * took <= fastest)


async def measured(
    runtime: EdgeRuntime, sample: Mapping[str, NDArray[Any]], clock: Callable[[], float]
) -> float:
    """Seconds of one run: the median of some, which one pause doesn't change."""
    took = []
    for _ in range(WARM_UP + RUNS):
        began = clock()
        await runtime.run(sample)
        took.append(clock() - began)
    return sorted(took[WARM_UP:])[RUNS // 2]
