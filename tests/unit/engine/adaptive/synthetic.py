"""Made-up latencies, from seeds: steady ones with all that real ones have, and ones that drift.

`random.Random.random` gives the same numbers for a seed in every Python, and all else is made of
it, so a seed is a trace.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

__all__ = ["KINDS", "Noise", "normal", "trace"]


@dataclass(frozen=True)
class Noise:
    """What makes runs of the same work differ.

    Attributes:
        spread: Standard deviation of the logarithm.
        memory: How much of it the next run takes over (AR(1)).
        outliers: Share of runs with a pause in them.
        pause: How many times as long such a run takes, at most.
        bursts: Share of runs at which others begin to work for some runs.
        warm_up: How many times as long the first run takes; it fades within some runs.
        ticks: Resolution of the clock in milliseconds (1 where a page isn't isolated, and coarser).
    """

    spread: float = 0.05
    memory: float = 0.0
    outliers: float = 0.0
    pause: float = 5.0
    bursts: float = 0.0
    warm_up: float = 1.0
    ticks: float = 0.005


KINDS = {
    "quiet": Noise(spread=0.02),
    "usual": Noise(spread=0.06, memory=0.3, outliers=0.02, warm_up=2.5),
    "restless": Noise(spread=0.15, memory=0.2, outliers=0.05, warm_up=2.0),
    "wild": Noise(spread=0.25, outliers=0.03, pause=10),
    "pauses": Noise(spread=0.05, outliers=0.10, pause=8),
    "bursts": Noise(spread=0.06, outliers=0.02, bursts=0.004, warm_up=2.0),
    "wandering": Noise(spread=0.08, memory=0.9),
    "coarse clock": Noise(spread=0.04, ticks=1.0),
    "slow start": Noise(spread=0.05, warm_up=6.0),
}


def normal(random: Random) -> float:
    """A normal number (Box-Muller)."""
    return math.sqrt(-2 * math.log(1 - random.random())) * math.cos(2 * math.pi * random.random())


def trace(
    seed: int,
    kind: str,
    runs: int,
    *,
    onset: int | None = None,
    times: float = 1.0,
    ramp: int = 0,
    usual: float | None = None,
) -> list[float]:
    """Milliseconds of one run after another.

    Args:
        seed: Of all that is chance.
        kind: One of `KINDS`.
        runs: How many.
        onset: The first run that takes longer; None: none does.
        times: How many times as long, from then on.
        ramp: Runs that it takes to get there.
        usual: Milliseconds of a run; None: by chance, from 2 to 2,000.
    """
    random, noise = Random(f"{kind} {seed}"), KINDS[kind]
    usual = usual or 2 * 1000 ** random.random()
    wander = burst = 0.0
    values = []
    for run in range(runs):
        fresh = normal(random) * noise.spread * math.sqrt(1 - noise.memory**2)
        wander = noise.memory * wander + fresh
        value = usual * math.exp(wander) * (1 + (noise.warm_up - 1) * math.exp(-run / 1.5))
        if random.random() < noise.outliers:
            value *= 1 + (noise.pause - 1) * random.random()
        if random.random() < noise.bursts:
            burst = 3 + 3 * random.random()
        if burst > 0:
            value *= 1 + 0.5 * random.random()
            burst -= 1
        if onset is not None and run >= onset:
            value *= 1 + (times - 1) * min(1.0, (run - onset + 1) / max(ramp, 1))
        values.append(max(noise.ticks, round(value / noise.ticks) * noise.ticks))
    return values
