"""Throttling as seen from inside: whether answers take longer than they do here at the same work.

A robust EWMA control chart on the logarithm of the latency, one for each kind of work. What
follows a rest is another kind and tells nothing: clocks are low then and caches cold, and the rests
that slowness asks for would keep it up. So they end after a while, for as long as it takes to find
slowness again; each time that it is found soon, they last twice as long.

1. The first runs are left out (compilers and caches warm up), the next ones make the baseline: the
   median of their logarithms, and as spread the median absolute deviation × 1.4826.
2. Each run's distance from the baseline is clipped (Huber's ψ), so that one pause counts as little
   more than a slow run, and averaged exponentially: z ← z + λ (ψ(x) − z). Logarithms make "half as
   long again" the same distance for a model of 3 ms and one of 3 s.
3. Slow from z > enter till z < leave, both logarithms of ratios. Enter is a slowness that matters,
   and on a restless machine more: L standard deviations of z, which are learnt from the runs that
   were faster than usual, since the others may be the beginning of slowness.
4. While nothing is slow the baseline goes on being refined, ever less. Answers that become as much
   faster are the new baseline, and it follows those that become a bit faster; slowness that lasts
   for long is the new baseline, too: then the device is so.

Sources: S. W. Roberts, "Control chart tests based on geometric moving averages", Technometrics 1
(1959), for the chart and its limits; P. J. Huber, "Robust estimation of a location parameter",
Ann. Math. Statist. 35 (1964), for ψ; S. Gelper, R. Fried, C. Croux, "Robust forecasting with
exponential and Holt-Winters smoothing", J. Forecasting 29 (2010), for both together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

__all__ = ["GAP", "Watch"]

WARM_UP = 3
"""Runs that nothing is learnt from, after a session was made."""

LEARNING = 20
"""Runs that the baseline is made of."""

REFINED = 256
"""Runs after which the baseline is not refined any more: it shall not follow a slow rise."""

WEIGHT = 0.12
"""λ: of the newest run in the average; the last 20 have 92 % of it."""

CLIP = math.log(1.5)
"""No run counts as more than 1.5 times as slow, or as fast."""

ENTER = math.log(1.25)
"""Slowness that matters at least: what a processor loses that leaves its highest clock."""

ENTER_MOST = math.log(1.36)
"""Slowness that matters on any machine; three quarters of what the clip lets through."""

LEAVE = math.log(1.12)
"""Slowness that doesn't matter any more; half of the way back."""

LIMIT = 2.5
"""L: standard deviations of the average that are chance. Small for a chart, since slowness has to
matter besides; from made-up traces, as the other limits."""

STEADY = 0.02
"""Of the newest run in what is known of how much the average wavers."""

SPREAD = (0.03, 0.35)
"""σ at least and at most: 20 runs alike are no promise, and 20 wild ones no licence."""

FOLLOW = 0.02
"""Part of the way by which the baseline follows with each run where answers became a bit faster."""

FORGET = 600.0
"""Seconds of slowness without a break after which it is what the device can do."""

GAP = 20.0
"""Seconds without a run after which the average begins anew: the processor has had its rest."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Latencies of one kind of work: the same model, size, threads and batch.

    Attributes:
        runs: How many were seen.
        learning: Logarithms that the baseline will be made of.
        baseline: Logarithm of the usual latency in milliseconds; None: still learning.
        wobble: Variance of the average by chance.
        average: z, how far the last runs were above it, as a logarithm.
        slow: Whether that is too far.
        since: When it became so; or the time of the last run.
        at: Time of the last run, in seconds.

    >>> watch = Watch()
    >>> for ms in [90, 60, 55] + [50, 51, 49, 52] * 5:
    ...     watch = watch.seen(ms, now=0.0)
    >>> round(watch.usual_ms), watch.slow
    (50, False)
    >>> for ms in [75] * 12:
    ...     watch = watch.seen(ms, now=0.0)
    >>> watch.slow
    True
    """

    runs: int = 0
    learning: tuple[float, ...] = ()
    baseline: float | None = None
    wobble: float = 0.0
    average: float = 0.0
    slow: bool = False
    since: float = 0.0
    at: float = 0.0

    @property
    def usual_ms(self) -> float | None:
        """What a run takes here; None: still learning."""
        return None if self.baseline is None else math.exp(self.baseline)

    @property
    def ratio(self) -> float | None:
        """How many times as long the last runs took; None: still learning."""
        return None if self.baseline is None else math.exp(self.average)

    def seen(self, ms: float, now: float) -> Watch:
        """After one more run; what can't be a duration (NaN, 0, an hour) is no run.

        Args:
            ms: Its milliseconds.
            now: When it ended, in seconds.
        """
        if not 1e-3 <= ms <= 3.6e6:
            return self
        value = math.log(ms)
        if self.runs < WARM_UP:  # also where the baseline is known from an earlier visit
            return replace(self, runs=self.runs + 1, at=now)
        if self.baseline is None:
            return self._learnt(value, now)
        rested = self if now - self.at <= GAP else replace(self, average=0.0, slow=False)
        return rested._followed(value, now)

    def _learnt(self, value: float, now: float) -> Watch:
        watch = replace(self, runs=self.runs + 1, at=now, learning=(*self.learning, value))
        if len(watch.learning) < LEARNING:
            return watch
        middle = _median(watch.learning)
        deviation = 1.4826 * _median(abs(one - middle) for one in watch.learning)
        spread = min(max(deviation, SPREAD[0]), SPREAD[1])
        # Of the average, and of the median of so few.
        chance = spread**2 * (WEIGHT / (2 - WEIGHT) + math.pi / 2 / LEARNING)
        return replace(watch, learning=(), baseline=middle, wobble=chance)

    def _followed(self, value: float, now: float) -> Watch:
        baseline = self.baseline or 0.0
        distance = min(max(value - baseline, -CLIP), CLIP)
        average = self.average + WEIGHT * (distance - self.average)
        enter = min(max(ENTER, LIMIT * math.sqrt(self.wobble)), ENTER_MOST)
        slow = average > (LEAVE if self.slow else enter)
        runs, wobble = self.runs + 1, self.wobble
        since = self.since if slow and self.slow else now
        if average < -enter or now - since >= FORGET:
            return Watch(runs, (), baseline, wobble, average, slow, since, now)._rebased()
        if not slow:
            if average < -LEAVE:
                baseline += FOLLOW * average
            # What wavers by chance wavers both ways; the way up may be the beginning of slowness.
            if average < 0:
                wobble += STEADY * (average**2 - wobble)
            if runs <= REFINED and average < LEAVE:
                baseline += min(max(distance, -LEAVE), LEAVE) / runs
        return Watch(runs, (), baseline, wobble, average, slow, since, now)

    def _rebased(self) -> Watch:
        """With what is now as what is usual."""
        baseline = (self.baseline or 0.0) + self.average
        return replace(self, baseline=baseline, average=0.0, slow=False)


def _median(values: Iterable[float]) -> float:
    """As in `statistics`, which would be a large import for a small thing."""
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
