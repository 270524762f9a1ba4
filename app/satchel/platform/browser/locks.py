"""Web Locks (https://www.w3.org/TR/web-locks/): one holder among all tabs and workers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from satchel.platform.browser.host import host, options

__all__ = ["WebLocks"]


class WebLocks:
    """Locks under names of this site."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        async with self._held(name):
            yield

    @asynccontextmanager
    async def attempt(self, name: str) -> AsyncIterator[bool]:
        async with self._held(name, ifAvailable=True) as granted:
            yield granted

    @asynccontextmanager
    async def share(self, name: str) -> AsyncIterator[None]:
        async with self._held(name, mode="shared"):
            yield

    @asynccontextmanager
    async def _held(self, name: str, **how: object) -> AsyncIterator[bool]:
        lock = (await host()).hold(self._prefix + name, options(**how))
        try:
            yield bool(await lock.granted)
        finally:
            free = lock.release()
            if how:
                # Who waits for it gets it in turn; who only looks must not find it held still.
                await free
