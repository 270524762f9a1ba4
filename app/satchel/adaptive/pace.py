"""How fast to work within a share of one processor core: batches, and rests between them.

A duty cycle: what is busy for b seconds on c cores has used b·c seconds of processor time, so a
share s of one core allows it once in b·c/s seconds, and b·c/s − b of them are rest. Browsers don't
give processor time: threads, and what a page does beside them (`limits.BESIDE`), stand for it.
Requests that wait are run one after the other and then rested for together: the longer rest lets
the processor reach a deeper sleep than several short ones ("race to idle"), and costs nobody more
than the window.

`decide` says what to expect; `Budget` is what keeps it, whatever timers and answers really take.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from satchel.adaptive.limits import BATCH_MOST, WINDOW

__all__ = ["Budget", "Pace", "batch_within", "rest"]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast to work.

    Attributes:
        batch: Requests to run before the next rest.
        delay: Seconds of rest after a batch.
        target: Share of one processor core to stay within; None: no limit.
    """

    batch: int = 1
    delay: float = 0.0
    target: float | None = None


def rest(busy: float, target: float, *, cores: float = 1) -> float:
    """Seconds of rest after `busy` seconds on so many cores, so that a share of one core is kept.

    >>> rest(0.05, 0.25)
    0.15000000000000002
    """
    return max(0.0, busy * (cores / target - 1))


def batch_within(queue: int, each: float, target: float) -> int:
    """How many of the waiting to run before one rest: as many as fit into the window, but one.

    Args:
        queue: How many wait.
        each: Seconds of processor time for one.
        target: Share of one core, above 0.

    >>> batch_within(20, 0.05, 0.5), batch_within(3, 0.05, 0.5), batch_within(20, 1.5, 0.5)
    (8, 3, 1)
    """
    fit = BATCH_MOST if each <= 0 else math.floor(min(WINDOW * target / each, BATCH_MOST))
    return max(1, min(queue, fit))


@dataclass(frozen=True, slots=True)
class Budget:
    """Processor time that may be used, as a token bucket (RFC 2697's, with one rate).

    Tokens are seconds of processor time. They come at the rate of the target, whatever happens, and
    each batch takes as many as it really used: a timer that oversleeps is made good at once, and
    an answer that took longer costs a longer rest. What isn't used is kept up to `burst`, so that
    somebody who comes after a quiet time doesn't wait, and a quiet hour is no licence to run hot.

    Attributes:
        target: Share of one core.
        tokens: Seconds of processor time at hand; below 0: owed.
        at: When that was so.
        burst: Most that is kept.

    >>> budget = Budget(0.25, at=0.0).spent(0.05, now=0.05)
    >>> round(budget.wait(0.05), 3)
    0.15
    """

    target: float
    tokens: float = 0.0
    at: float = 0.0
    burst: float = 0.0

    def filled(self, now: float) -> Budget:
        """With the tokens that came since."""
        passed = max(0.0, now - self.at)
        tokens = min(max(self.burst, 0.0), self.tokens + passed * self.target)
        return replace(self, tokens=tokens, at=max(self.at, now))

    def spent(self, busy: float, now: float, *, cores: float = 1) -> Budget:
        """After a batch that took `busy` seconds on so many cores and ended now."""
        begun = self.filled(now - busy)
        used = busy * (cores - self.target)  # tokens come while a batch runs, too
        return replace(begun, tokens=begun.tokens - used, at=max(self.at, now))

    def wait(self, now: float) -> float:
        """Seconds until the next batch may begin."""
        return max(0.0, -self.filled(now).tokens / self.target)

    def aimed(self, target: float, now: float) -> Budget:
        """With another target from now on; what is owed stays owed."""
        return replace(self.filled(now), target=target)
