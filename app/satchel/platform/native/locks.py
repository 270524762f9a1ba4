"""Locks among tasks and processes: one lock file for each name."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

__all__ = ["FileLocks"]


class FileLocks:
    """Exclusive locks as files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        from filelock import AsyncFileLock

        async with AsyncFileLock(self._file(name)):
            yield

    @asynccontextmanager
    async def attempt(self, name: str) -> AsyncIterator[bool]:
        from filelock import AsyncFileLock, Timeout

        lock = AsyncFileLock(self._file(name), blocking=False)
        try:
            await lock.acquire()
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            await lock.release()

    @asynccontextmanager
    async def share(self, name: str) -> AsyncIterator[None]:
        # Only models in use are shared, and a file that is open here stays when it is deleted.
        yield

    def _file(self, name: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        # Names are free text; their hash is a file name everywhere.
        return self._folder / hashlib.sha256(name.encode()).hexdigest()[:32]
