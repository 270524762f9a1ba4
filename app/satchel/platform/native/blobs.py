"""Blobs on CPython: bytes in memory, or a file."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from satchel.errors import StorageError
from satchel.platform import Slice

__all__ = ["ComposedBlob", "FileBlob", "MemoryBlob", "NativeBlob", "blob_of"]


PIECE = 1024 * 1024
"""Bytes that `stream` gives at a time."""


class _Streamed(ABC):
    """Streams what can be read."""

    __slots__ = ()

    @property
    @abstractmethod
    def size(self) -> int:
        """Length in bytes."""

    @abstractmethod
    async def read(self, start: int = 0, stop: int | None = None) -> bytes:
        """The bytes from ``start`` to ``stop``."""

    async def stream(self) -> AsyncIterator[bytes]:
        for start in range(0, self.size, PIECE):
            yield await self.read(start, min(start + PIECE, self.size))


@dataclass(frozen=True, slots=True)
class MemoryBlob(_Streamed):
    """Bytes in memory."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    async def read(self, start: int = 0, stop: int | None = None) -> bytes:
        return self.data[start:stop]


@dataclass(frozen=True, slots=True)
class FileBlob(_Streamed):
    """The bytes of a file that does not change."""

    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    async def read(self, start: int = 0, stop: int | None = None) -> bytes:
        def read() -> bytes:
            with self.path.open("rb") as file:
                file.seek(start)
                return file.read(-1 if stop is None else max(0, stop - start))

        try:
            return await asyncio.to_thread(read)
        except OSError as error:
            raise StorageError(f"{self.path} cannot be read", why=str(error)) from error


@dataclass(frozen=True, slots=True)
class ComposedBlob(_Streamed):
    """Slices of other blobs, one after the other."""

    slices: Sequence[Slice]

    @property
    def size(self) -> int:
        return sum(part.stop - part.start for part in self.slices)

    async def read(self, start: int = 0, stop: int | None = None) -> bytes:
        found, at, end = [], 0, self.size if stop is None else stop
        for part in self.slices:
            size = part.stop - part.start
            first, last = max(start - at, 0), min(end - at, size)
            if first < last:
                found.append(await part.blob.read(part.start + first, part.start + last))
            at += size
        return b"".join(found)


NativeBlob = MemoryBlob | FileBlob | ComposedBlob


def blob_of(data: object) -> NativeBlob:
    """A blob of bytes-like data, copied once so that the caller's buffer stays usable."""
    if isinstance(data, NativeBlob):
        return data
    return MemoryBlob(bytes(memoryview(data)))  # type: ignore[arg-type]  # a TypeError is wanted
