"""How long answers take on this device, by kind of work; and whether that is longer than usual."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from satchel.adaptive.drift import GAP, Watch
from satchel.adaptive.option import Option

__all__ = ["Latencies", "Work"]

MOST = 64
"""Kinds of work that are remembered; the one that was not done for longest goes."""


@dataclass(frozen=True, slots=True)
class Work:
    """What has to be the same for latencies to be comparable.

    Attributes:
        variant: What runs; a bare runtime's name.
        resolution: Height and width in pixels; None where that has no meaning.
        threads: Number of threads.
        size: What else makes runs differ, such as the shape of the input, in steps that matter.
        rested: Whether it follows a rest: clocks are low then, caches are cold, and latencies
            waver. What takes longer for that is no reason for more rest.
    """

    variant: str
    resolution: int | None
    threads: int
    size: int = 1
    rested: bool = False


@dataclass(frozen=True, slots=True)
class Latencies:
    """What was seen so far; each run gives another one of these.

    Attributes:
        watches: By kind of work, the newest last.

    >>> latencies = Latencies()
    >>> for _ in range(30):
    ...     latencies = latencies.seen(Work("int8", 224, 1), ms=50.0, now=0.0)
    >>> latencies.slow, latencies.ratio
    (False, 1.0)
    """

    watches: dict[Work, Watch] = field(default_factory=dict)

    def seen(self, work: Work, ms: float, now: float) -> Latencies:
        """After one more run: its milliseconds, and when it ended, in seconds."""
        watches = self.watches
        watch = watches.get(work, Watch()).seen(ms, now)
        if work != next(reversed(watches), None):
            others = [key for key in watches if key != work]
            watches = {key: watches[key] for key in others[1 - MOST :]}
        return Latencies({**watches, work: watch})

    def rested(self, now: float) -> Latencies:
        """As it counts at a time: after a while without runs the processor has had its rest."""
        last = next(reversed(self.watches), None)
        if last is None or not self.watches[last].slow or now - self.watches[last].at <= GAP:
            return self
        calm = replace(self.watches[last], average=0.0, slow=False)
        return replace(self, watches={**self.watches, last: calm})

    @property
    def slow(self) -> bool:
        """Whether answers take longer now than they do here at the same work.

        Those that follow a rest never tell: whoever rests finds out by working on for a while.
        """
        work = next(reversed(self.watches), None)
        return work is not None and not work.rested and self.watches[work].slow

    @property
    def ratio(self) -> float | None:
        """How many times as long as usual they take, before rests; None: not known yet."""
        for work in reversed(self.watches):
            if not work.rested:
                return self.watches[work].ratio
        return None

    def seconds(self, option: Option | None, threads: int = 1) -> float | None:
        """What one answer takes now; None: not known yet.

        Args:
            option: What runs; None: whatever ran last.
            threads: Number of threads.
        """
        for work in reversed(self.watches):
            same = option is None or (work.variant, work.resolution) == (
                option.variant,
                option.resolution,
            )
            watch = self.watches[work]
            if same and work.threads == threads and watch.usual_ms and watch.ratio:
                return watch.usual_ms * watch.ratio / 1000
        return None
