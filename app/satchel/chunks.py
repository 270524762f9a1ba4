"""A blob's chunk index: where its content-defined chunks end, and the SHA-256 of each.

The binary form is one record of 36 bytes for each chunk, in the blob's order: the SHA-256 as
32 bytes, then the chunk's size in bytes as an unsigned 32-bit little-endian number. Nothing else is
in it; the manifest gives the index's own hash and size, and those of the blob.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from satchel.errors import ManifestError

__all__ = ["Chunk", "decode", "encode", "readable"]

_RECORD = struct.Struct("<32sI")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a blob.

    Attributes:
        sha256: Hex, of the chunk's bytes.
        start: Where it begins in the blob (bytes).
        size: Its length (bytes).
    """

    sha256: str
    start: int
    size: int


def decode(data: bytes, blob_size: int) -> tuple[Chunk, ...]:
    """Read the binary form.

    Args:
        data: The index.
        blob_size: Bytes of the blob that it is for.

    Raises:
        ManifestError: It is no index, or that of a blob of another size.

    >>> decode(encode([Chunk("ab" * 32, 0, 7)]), 7)[0].size
    7
    """
    if len(data) % _RECORD.size:
        raise ManifestError("A model's chunk index is cut", why=f"it has {len(data)} bytes")
    chunks, start = [], 0
    for digest, size in _RECORD.iter_unpack(data):
        chunks.append(Chunk(digest.hex(), start, size))
        start += size
    if start != blob_size or not all(chunk.size for chunk in chunks):
        raise ManifestError(
            "A model's chunk index is for another file",
            why=f"its chunks have {start} bytes together, the file has {blob_size}",
        )
    return tuple(chunks)


def readable(data: bytes, blob_size: int) -> tuple[Chunk, ...]:
    """The chunks of an index; none, as of a blob without an index, when it is not this blob's.

    A blob has its own hash, so a mistake in publishing its index costs bytes and nothing else.
    """
    try:
        return decode(data, blob_size)
    except ManifestError:
        return ()


def encode(chunks: Iterable[Chunk]) -> bytes:
    """The binary form."""
    return b"".join(_RECORD.pack(bytes.fromhex(chunk.sha256), chunk.size) for chunk in chunks)
