"""Web Locks (https://www.w3.org/TR/web-locks/): one holder among all tabs and workers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from satchel.platform.browser.host import host

__all__ = ["WebLocks"]


class WebLocks:
    """Exclusive locks under names of this site."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        lock = (await host()).hold(self._prefix + name)
        try:
            await lock.granted
            yield
        finally:
            lock.release()
