"""Conditions that hold on: entered at once, left when they have been gone for a while.

A `Latch` (a Schmitt trigger, https://en.wikipedia.org/wiki/Schmitt_trigger, with time in place of
the second threshold where a sensor has only words) is in force from the first reading that enters
it until no reading has held it for as long as its calm asks. When it comes back soon after it was
left, the next calm has to last twice as long (exponential backoff): what made the condition go was
probably the rest that the device was given. `Settled` is for what hardly ever changes: another
value has to be read again and again before it is believed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from satchel.adaptive.limits import HOLD_MOST

__all__ = ["Latch", "Settled"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Latch:
    """One condition.

    Attributes:
        on: Whether it is in force.
        seen: When a reading last held it (seconds, any monotonic clock); None: never.
        left: When it was last left; None: never.
        returns: How often it came back soon after it had been left.
    """

    on: bool = False
    seen: float | None = None
    left: float | None = None
    returns: int = 0

    def fed(self, *, enter: bool, hold: bool, calm: float, now: float) -> Latch:
        """After one reading.

        Args:
            enter: Whether the reading asks for the condition.
            hold: Whether it is reason enough to stay in it; as good as `enter` where it is entered.
            calm: Seconds without either after which it is left, the first time.
            now: Time of the reading; one that went back counts as no time at all.
        """
        if enter and not self.on:
            return Latch(on=True, seen=now, returns=self._returns(calm, now))
        if not self.on:
            return self
        if enter or hold or self.seen is None or now < self.seen:
            return replace(self, seen=now)
        if now - self.seen >= self._needed(calm):
            return replace(self, on=False, left=now)
        return self

    def _needed(self, calm: float) -> float:
        return float(min(calm * 2**self.returns, max(calm, HOLD_MOST)))

    def _returns(self, calm: float, now: float) -> int:
        """How often it has come back now; once it stayed away for long, that is forgotten."""
        if self.left is None:
            return 0
        soon = 0 <= now - self.left < 2 * self._needed(calm)
        return min(self.returns + 1, 16) if soon else 0


@dataclass(frozen=True, slots=True)
class Settled(Generic[T]):
    """A value that changes seldom, if ever.

    Attributes:
        value: What is believed; None: nothing was read yet.
        other: What was read instead since; None: nothing.
        since: When that was first read, of all readings in a row that gave it.
    """

    value: T | None = None
    other: T | None = None
    since: float = 0.0

    def fed(self, read: T | None, *, calm: float, now: float) -> Settled[T]:
        """After one reading; None, a sensor that says nothing, changes nothing.

        Args:
            read: What it gives.
            calm: Seconds for which another value has to be read, and no third one.
            now: Time of the reading.
        """
        if self.value is None or read is None:
            return Settled(self.value if read is None else read)
        if read == self.value:
            return Settled(self.value)
        if read != self.other or now < self.since:
            return Settled(self.value, read, now)
        return Settled(read) if now - self.since >= calm else self
