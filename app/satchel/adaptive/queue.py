"""Requests that wait: how many may, which newer one takes an older one's place, when they run.

No clock and no task: whoever owns a `Queue` says what time it is, and runs what it gives.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["Added", "Queue", "Waiting"]

T = TypeVar("T")

CAPACITY = 32
"""Requests that may wait: four batches, some seconds of work for one that asks in a hurry."""


@dataclass(frozen=True, slots=True)
class Waiting(Generic[T]):
    """One request.

    Attributes:
        item: What is asked for.
        since: When it was, in seconds.
        until: When it must be run at the latest, whatever else is waited for.
        key: Names what only the newest request of is of use, such as a camera; None: nothing does.
    """

    item: T
    since: float
    until: float
    key: Hashable = None


@dataclass(frozen=True, slots=True)
class Added(Generic[T]):
    """What became of a request.

    Attributes:
        accepted: Whether it waits now; False: the queue is full, come again.
        replaced: The older request whose place it took, and which nobody needs any more.
    """

    accepted: bool
    replaced: T | None = None


@dataclass
class Queue(Generic[T]):
    """A line of requests, first come, first served.

    Args:
        capacity: How many may wait.
        patience: Seconds that a request waits for others to make a batch with.

    >>> frames = Queue(capacity=2)
    >>> frames.add("frame 1", now=0.0, key="camera")
    Added(accepted=True, replaced=None)
    >>> frames.add("frame 2", now=0.1, key="camera")
    Added(accepted=True, replaced='frame 1')
    >>> frames.add("photo", now=0.2), frames.add("another", now=0.3)
    (Added(accepted=True, replaced=None), Added(accepted=False, replaced=None))
    >>> frames.take(8)
    ['frame 2', 'photo']
    """

    capacity: int = CAPACITY
    patience: float = 0.0
    _line: list[Waiting[T]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._line)

    @property
    def full(self) -> bool:
        """Whether the next request without a place to take is turned away."""
        return len(self._line) >= self.capacity

    def add(
        self, item: T, now: float, *, key: Hashable = None, within: float | None = None
    ) -> Added[T]:
        """Put a request into the line.

        A request with the key of a waiting one takes its place, and its time: a camera that gives
        frames faster than they are looked at is served as often as if it gave just enough.

        Args:
            item: What is asked for.
            now: The time in seconds.
            key: See `Waiting`.
            within: Seconds in which it must be run; None: it has the queue's patience.
        """
        until = now + (self.patience if within is None else min(within, self.patience))
        for place, older in enumerate(self._line):
            if key is not None and older.key == key:
                until = min(older.until, until)
                self._line[place] = Waiting(item, older.since, until, key)
                return Added(accepted=True, replaced=older.item)
        if self.full:
            return Added(accepted=False)
        self._line.append(Waiting(item, now, until, key))
        return Added(accepted=True)

    def ready(self, batch: int) -> float | None:
        """When the next batch should run; None where nothing waits.

        At once (0.0) when enough wait for a batch of this size, else when the first deadline comes.
        """
        if not self._line:
            return None
        if len(self._line) >= batch:
            return 0.0
        return min(waiting.until for waiting in self._line)

    def take(self, batch: int) -> list[T]:
        """The next requests, `batch` at most; they don't wait any more."""
        taken, self._line = self._line[: max(batch, 1)], self._line[max(batch, 1) :]
        return [waiting.item for waiting in taken]

    def drop(self, item: T) -> bool:
        """Take out a request that nobody needs any more; whether it was still waiting."""
        left = [waiting for waiting in self._line if waiting.item is not item]
        dropped = len(left) < len(self._line)
        self._line = left
        return dropped

    def waited(self, now: float) -> float:
        """Seconds that the first in line has waited; 0 where nothing waits."""
        return max(0.0, now - self._line[0].since) if self._line else 0.0
