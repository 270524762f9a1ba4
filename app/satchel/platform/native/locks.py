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

        self._folder.mkdir(parents=True, exist_ok=True)
        # Names are free text; their hash is a file name everywhere.
        digest = hashlib.sha256(name.encode()).hexdigest()[:32]
        async with AsyncFileLock(self._folder / digest):
            yield
