"""Whose turn it is: one request after the other, at the pace that was decided, none lost.

Requests are run by those who ask: `enter` returns when it is their turn, and `leave` ends it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable

from satchel.adaptive.limits import BESIDE
from satchel.adaptive.pace import Budget
from satchel.adaptive.queue import CAPACITY, Queue
from satchel.adaptive.use import Use
from satchel.errors import SupersededError

__all__ = ["Line"]

BURST = 0.05
"""Seconds of processor time that are kept when a timer oversleeps: they are made good at once."""

PAUSE = 0.25
"""Seconds without work that are a rest, as one that was asked for is; no queue has such gaps."""

MOMENT = 0.001
"""Seconds that no timer is exact about: so little is no rest."""

NEVER = float("inf")

Turn = asyncio.Future[None]


class Line:
    """One line for everything that a device works on.

    Args:
        clock: Gives seconds, by any monotonic clock.
        capacity: Requests that may wait; more wait outside until there is room.

    Attributes:
        use: Of the processor, by what was run.
        rested: Whether the processor had a rest before what runs now, or did last.
    """

    def __init__(self, clock: Callable[[], float], capacity: int = CAPACITY) -> None:
        self._clock = clock
        self.use = Use()
        self.rested = False
        self._queue: Queue[Turn] = Queue(capacity, patience=NEVER)
        self._outside: deque[Turn] = deque()
        self._running = False
        self._ended = NEVER
        self._kept_waiting = False
        self._batch = 1
        self._left = 0
        self._budget: Budget | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many wait for their turn, those outside among them."""
        return len(self._queue) + len(self._outside)

    @property
    def free(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return not self._running and not self._queue

    def paced(self, batch: int, target: float | None) -> None:
        """Keep to another pace from now on; what is owed stays owed.

        Args:
            batch: Requests to run before a rest.
            target: Share of one processor core to stay within; None: no rests.
        """
        self._batch, self._left = batch, min(self._left, batch - 1)
        now = self._clock()
        if target is None:
            self._budget = None
        elif self._budget is None:
            self._budget = Budget(target, at=now, burst=BURST)
        elif self._budget.target != target:
            self._budget = self._budget.aimed(target, now)
        self._next()

    async def enter(self, key: Hashable = None, within: float | None = None) -> None:
        """Wait for one's turn.

        Args:
            key: Names what only the newest request of is of use: an older one that still waits
                with it is given up, and this one takes its place.
            within: Seconds within which it shall be run although the processor has no rest then.

        Raises:
            SupersededError: A newer request took this one's place.
        """
        if self.free and not self._outside and self._may_start():
            self._start()
            return
        turn: Turn = asyncio.get_running_loop().create_future()
        await self._join(turn, key, within)
        self._next()
        try:
            await turn
        except asyncio.CancelledError:
            self._given_up(turn)
            raise

    def leave(self, busy: float, now: float, *, threads: int = 1) -> None:
        """End one's turn.

        Args:
            busy: Seconds that it took.
            now: The time in seconds.
            threads: On how many threads.
        """
        self._running, self._ended = False, now
        self.use = self.use.spent(busy, now, threads=threads)
        if self._budget is not None:
            self._budget = self._budget.spent(busy, now, cores=threads * BESIDE)
        if self._queue:
            self._next()

    async def _join(self, turn: Turn, key: Hashable, within: float | None) -> None:
        while not (added := self._queue.add(turn, self._clock(), key=key, within=within)).accepted:
            room: Turn = asyncio.get_running_loop().create_future()
            self._outside.append(room)
            try:
                await room
            except asyncio.CancelledError:
                if room in self._outside:
                    self._outside.remove(room)
                else:
                    self._let_in()  # the place is for somebody else, then
                raise
        if added.replaced is not None and not added.replaced.done():
            added.replaced.set_exception(
                SupersededError("A newer request took the place of this one")
            )

    def _given_up(self, turn: Turn) -> None:
        """Its owner was cancelled: while it waited, or when its turn had just come."""
        if self._queue.drop(turn):
            self._let_in()
        elif turn.done() and not turn.cancelled() and turn.exception() is None:
            self._running = False
        self._next()

    def _next(self) -> None:
        """Give the next one its turn, now or when the processor has had its rest."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._running or not self._queue:
            return
        if self._may_start():
            (turn,) = self._queue.take(1)
            self._let_in()
            if turn.done():  # cancelled, and its owner is about to hear of it
                self._next()
            else:
                self._start()
                turn.set_result(None)
        else:
            now = self._clock()
            self._kept_waiting = True
            wait = max(0.0, min(self._rest(now), self._due(now)))
            self._timer = asyncio.get_running_loop().call_later(wait, self._next)

    def _start(self) -> None:
        self._running = True
        self.rested = self._kept_waiting or self._clock() - self._ended >= PAUSE
        self._kept_waiting = False

    def _may_start(self) -> bool:
        if self._budget is None:
            return True
        if self._left > 0:
            self._left -= 1
            return True
        now = self._clock()
        if min(self._rest(now), self._due(now)) <= MOMENT:
            self._left = self._batch - 1
            return True
        return False

    def _rest(self, now: float) -> float:
        """Seconds of rest that the processor still has to get."""
        return self._budget.wait(now) if self._budget is not None else 0.0

    def _due(self, now: float) -> float:
        """Seconds until one that waits must be run, whatever rests are left."""
        until = self._queue.ready(NEVER_ENOUGH)
        return NEVER if until is None else until - now

    def _let_in(self) -> None:
        """There is room in the queue: one from outside may come."""
        while self._outside:
            room = self._outside.popleft()
            if not room.done():
                room.set_result(None)
                return


NEVER_ENOUGH = 1 << 30
"""A batch that no queue fills: what is asked for is the first deadline."""
