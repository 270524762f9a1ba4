"""Blobs on CPython: bytes in memory, or a file."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FileBlob", "MemoryBlob", "NativeBlob", "blob_of"]


@dataclass(frozen=True, slots=True)
class MemoryBlob:
    """Bytes in memory."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    async def read(self, start: int = 0, stop: int | None = None) -> bytes:
        return self.data[start:stop]


@dataclass(frozen=True, slots=True)
class FileBlob:
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

        return await asyncio.to_thread(read)


NativeBlob = MemoryBlob | FileBlob


def blob_of(data: object) -> NativeBlob:
    """A blob of bytes-like data, copied once so that the caller's buffer stays usable."""
    if isinstance(data, MemoryBlob | FileBlob):
        return data
    return MemoryBlob(bytes(memoryview(data)))  # type: ignore[arg-type]  # a TypeError is wanted
