"""How much of the processor one's own work takes: who makes a device busy knows it of itself.

Browsers tell of pressure by how much of all cores is used, whoever uses it
(https://www.w3.org/TR/compute-pressure/), seconds later, and for seconds after it is over. So what
counts is the most that was used of late.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Use"]

SPAN = 2.0
"""Seconds: time constant of the average."""

LATE = 8.0
"""Seconds for which browsers may still tell of load that is over: they look every second or two,
and tell the average of some looks."""


@dataclass(frozen=True, slots=True)
class Use:
    """Processor cores that one's own work takes, as an exponentially weighted average.

    Attributes:
        cores: The average at `at`.
        at: Time of the last run's end, in seconds.
        most: The most that it was in the last `LATE` seconds.
        most_at: When.

    >>> use = Use()
    >>> for second in range(10):
    ...     use = use.spent(1.0, now=second + 1.0, threads=2)
    >>> round(use.lately(10.0), 1), round(use.lately(30.0), 1)
    (2.0, 0.0)
    """

    cores: float = 0.0
    at: float = 0.0
    most: float = 0.0
    most_at: float = -math.inf

    def spent(self, busy: float, now: float, *, threads: int = 1) -> Use:
        """After a run that took `busy` seconds on so many threads and ended now."""
        cores = self._at(now - busy)
        cores += (threads - cores) * (1 - math.exp(-max(0.0, busy) / SPAN))
        if cores >= self.most or now - self.most_at > LATE:
            return Use(cores, now, cores, now)
        return Use(cores, now, self.most, self.most_at)

    def lately(self, now: float) -> float:
        """Cores that it took at most of late."""
        return self.most if now - self.most_at <= LATE else self._at(now)

    def _at(self, now: float) -> float:
        return self.cores * math.exp(-max(0.0, now - self.at) / SPAN)
