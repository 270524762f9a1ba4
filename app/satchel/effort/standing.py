"""How things stand: the device as it was last heard of, what is insisted on, what was decided."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from satchel.adaptive import Decision, Override, State
from satchel.device import DeviceProfile
from satchel.platform import Platform

__all__ = ["Standing"]

EVERY = 1.0
"""Seconds after which it is decided again although nothing has changed: calm passes, too."""

HISTORY = 100
"""Changes that are remembered."""


class Standing:
    """What decisions are made of and what they came to.

    Args:
        profile: The device's state, for good; None: the device is followed.
        platform: Whose clock and sensors count.
        override: What is insisted on.
        decide: Called when it must be decided again although nobody asks for an answer.

    Attributes:
        profile: The device's state.
        override: What is insisted on; None: nothing.
        state: What decisions remember.
        decision: The last one; None: there was none.
        history: Changes of strategy or variant: when, and to what.
    """

    def __init__(
        self,
        profile: DeviceProfile | None,
        platform: Platform,
        override: Override | None,
        decide: Callable[[], None],
    ) -> None:
        self.profile = profile or DeviceProfile()
        self.override = override
        self.state: State | None = None
        self.decision: Decision | None = None
        self.history: deque[tuple[str, Decision]] = deque(maxlen=HISTORY)
        self._follows = profile is None
        self._platform = platform
        self._decide = decide
        self._at: float | None = None
        self._beginning: asyncio.Future[None] | None = None
        self._leave: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._listeners: list[Callable[[Decision], None]] = []

    async def begin(self) -> None:
        """Follow the device from now on, once its present state is known."""
        if self._follows and self._beginning is None:
            self._beginning = asyncio.get_running_loop().create_future()
            self._leave = self._platform.sensors.listen(self._felt)
        if self._beginning is not None and not self._beginning.done():
            await asyncio.shield(self._beginning)

    def changed(self) -> None:
        """What was decided counts no more."""
        self._at = None

    def insist(self, override: Override | None) -> None:
        """Insist on something, or on nothing any more."""
        self.override = override
        self.changed()
        self._decide()

    def counts(self, waiting: int, now: float) -> Decision | None:
        """What is decided, if that still counts: nothing has changed, and no rest depends on it.

        Args:
            waiting: How many wait.
            now: The time in seconds.
        """
        decision = self.decision
        if decision is None or self._at is None or (decision.cpu_target and waiting > 1):
            return None
        return decision if now - self._at < EVERY else None

    def take(self, decision: Decision, state: State, now: float) -> None:
        """Remember a decision, and tell of it where it is a new one."""
        before, self.decision, self.state = self.decision, decision, state
        self._at = now
        self._again_later()
        if decision == before:
            return
        if before is None or _what(before) != _what(decision):
            self.history.append((self._platform.clock.now(), decision))
        for listener in tuple(self._listeners):
            listener(decision)

    def listen(self, listener: Callable[[Decision], None]) -> Callable[[], None]:
        """Call a function with each new decision; returns what ends it."""
        self._listeners.append(listener)

        def leave() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return leave

    def close(self) -> None:
        """Follow the device no more."""
        if self._leave is not None:
            self._leave()
        if self._timer is not None:
            self._timer.cancel()
        self._leave = self._timer = None

    def _felt(self, profile: DeviceProfile) -> None:
        self.profile = profile
        self.changed()
        if self._beginning is not None and not self._beginning.done():
            self._beginning.set_result(None)
        self._decide()

    def _again_later(self) -> None:
        """Conditions begin and end by themselves, also while nobody asks for anything."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        state = self.state
        if state is None or self._at is None:
            return
        calming = (
            latch.on and (latch.seen or 0.0) < self._at - EVERY / 10
            for latch in (state.battery, state.serious, state.critical)
        )
        # Slowness ends by rest alone.
        if state.slow.on or state.changing or any(calming):
            later = asyncio.get_running_loop().call_later
            self._timer = later(EVERY, self._decide)


def _what(decision: Decision) -> tuple[str, str | None, int]:
    return decision.strategy, decision.variant, decision.threads
