"""Telling listeners how a device's state changes: the newest state, and not too often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from satchel.device import DeviceProfile

__all__ = ["EVERY", "Listener", "Listeners"]

EVERY = 0.25
"""Seconds from one telling to the next: a sensor may change a hundred times a second, but nothing
that is decided by it has to change within an answer's time."""

Listener = Callable[[DeviceProfile], Awaitable[None] | None]


class Listeners:
    """Those who follow a device.

    Args:
        read: Gives the present state.
        begin: Called when the first one comes: sensors must say `changed` from now on.
        end: Called when the last one has gone.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[DeviceProfile]],
        begin: Callable[[], None],
        end: Callable[[], None],
    ) -> None:
        self._read = read
        self._begin = begin
        self._end = end
        self._following: dict[asyncio.Task[None], asyncio.Event] = {}

    def add(self, listener: Listener) -> Callable[[], None]:
        """Let one follow from now on; returns what ends it."""
        if not self._following:
            self._begin()
        changed = asyncio.Event()
        task = asyncio.ensure_future(self._follow(listener, changed))
        self._following[task] = changed

        def leave() -> None:
            task.cancel()
            if self._following.pop(task, None) and not self._following:
                self._end()

        return leave

    def changed(self) -> None:
        """A sensor says something new."""
        for event in self._following.values():
            event.set()

    async def _follow(self, listener: Listener, changed: asyncio.Event) -> None:
        told: DeviceProfile | None = None
        while True:
            changed.clear()
            profile = await self._read()
            if profile != told:
                told = profile
                await _tell(listener, profile)
            await asyncio.sleep(EVERY)
            await changed.wait()


async def _tell(listener: Listener, profile: DeviceProfile) -> None:
    try:
        answer = listener(profile)
        if answer is not None:
            await answer
    except Exception as error:  # noqa: BLE001  # its mistake is reported, and the device goes on changing
        message = f"{listener} failed over a change of the device"
        asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})
