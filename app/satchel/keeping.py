"""Where verified chunks of a download go: to the store in small commits, or into memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from satchel.chunks import Chunk
from satchel.errors import StorageError
from satchel.platform import Blob, Platform, PutPart, Slice

__all__ = ["BATCH", "LINGER", "Batches", "InMemory", "Keeper"]

BATCH = 1024 * 1024
"""Bytes that are verified and not committed yet, at most, so that a killed page loses no more; half
of them on their way into the store while the other half comes. (A chunk that is larger than half
of it goes by itself.)"""

LINGER = 0.25
"""Seconds after which a chunk is committed even when its batch is not full: what a slow network
brings is safe as soon."""


class Keeper(Protocol):
    """Takes verified chunks."""

    async def keep(self, chunk: Chunk, blobs: Sequence[Blob]) -> None:
        """Take a chunk; waits where the store is slower than the network."""

    async def flush(self) -> None:
        """Return once all that was taken is kept."""


class InMemory:
    """Keeps bytes in the order in which they come."""

    def __init__(self) -> None:
        self.blobs: list[Blob] = []

    async def keep(self, chunk: Chunk, blobs: Sequence[Blob]) -> None:
        """Take a chunk."""
        self.blobs.extend(blobs)

    async def flush(self) -> None:
        """All is kept."""


class Batches:
    """Keeps chunks as parts of the blob ``digest`` in the platform's store."""

    def __init__(self, platform: Platform, digest: str) -> None:
        self._platform = platform
        self._digest = digest
        self._runs: list[_Run] = []  # the open batch
        self._turn = asyncio.Lock()
        self._writing: asyncio.Future[None] | None = None
        self._timer: asyncio.Future[None] | None = None
        self._failure: StorageError | None = None

    async def keep(self, chunk: Chunk, blobs: Sequence[Blob]) -> None:
        """Take a chunk; waits where the store is slower than the network.

        Raises:
            StorageFullError: What was taken before did not fit any more.
        """
        if self._size and self._size + chunk.size > BATCH // 2:
            await self._commit()
        if self._runs and self._runs[-1].stop == chunk.start:
            self._runs[-1].add(chunk, blobs)
        else:
            self._runs.append(_Run(chunk, blobs))
        if self._timer is None:
            self._timer = asyncio.ensure_future(self._later())

    async def flush(self) -> None:
        """Return once all that was taken is in the store.

        Raises:
            StorageFullError: It did not fit.
        """
        await self._commit()
        async with self._turn:
            await self._settle()

    @property
    def _size(self) -> int:
        return sum(run.stop - run.start for run in self._runs)

    async def _later(self) -> None:
        await self._platform.clock.sleep(LINGER)
        self._timer = None
        try:
            await self._commit()
        except StorageError as error:
            self._failure = error  # whoever keeps or flushes next hears of it

    async def _commit(self) -> None:
        """Begin to write the open batch, once the one before is written."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        async with self._turn:
            await self._settle()
            if self._runs:
                runs, self._runs = self._runs, []
                puts = [PutPart(self._digest, run.start, run.blob(self._platform)) for run in runs]
                self._writing = asyncio.ensure_future(self._platform.store.commit(puts))

    async def _settle(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._writing is not None:
            # A download that is cancelled now leaves the commit to end by itself.
            await asyncio.wait({self._writing})
            writing, self._writing = self._writing, None
            writing.result()


class _Run:
    """Chunks that follow each other: they become one part."""

    def __init__(self, chunk: Chunk, blobs: Sequence[Blob]) -> None:
        self.start = self.stop = chunk.start
        self._blobs: list[Blob] = []
        self.add(chunk, blobs)

    def add(self, chunk: Chunk, blobs: Sequence[Blob]) -> None:
        self.stop += chunk.size
        self._blobs.extend(blobs)

    def blob(self, platform: Platform) -> Blob:
        return platform.compose([Slice(blob, 0, blob.size) for blob in self._blobs])
