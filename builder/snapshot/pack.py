"""The file format of a snapshot: a header that says what it is, and the pages that hold something.

    4 bytes   MAGIC
    4 bytes   length of the header, little-endian
    …         header, JSON, filled up with spaces to ALIGNMENT
    …         `head`: what Pyodide writes before the heap: its build's id, its JavaScript objects
    …         the heap's pages that aren't all zero, one after the other, as `runs` lists them

The whole travels in the wire form (`builder.wire`). app/static/snapshot/format.mjs reads it.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAGIC = b"SNAP"
FORMAT = 1
PAGE = 4096
ALIGNMENT = 16


@dataclass(frozen=True)
class Recording:
    """What came out of the browser."""

    head: bytes
    heap: bytes
    table: Mapping[str, Any]
    """The function table beyond Pyodide's own, and the libraries' handles: see internals.mjs."""

    @classmethod
    def of(cls, snapshot: bytes, table: Mapping[str, Any]) -> "Recording":
        """Split what `makeMemorySnapshot` gave: its second word says where the heap begins."""
        (start,) = struct.unpack_from("<I", snapshot, 4)
        return cls(snapshot[:start], snapshot[start:], table)


def pack(recording: Recording, ids: Mapping[str, str]) -> bytes:
    """Return the file's bytes, not compressed yet.

    Args:
        recording: The heap, and what belongs to it.
        ids: What all of it was made from; a page with other parts won't use it.
    """
    runs = list(filled(recording.heap))
    header = {
        "format": FORMAT,
        "ids": dict(ids),
        "table": recording.table,
        "heap": len(recording.heap),
        "head": len(recording.head),
        "page": PAGE,
        "runs": runs,
    }
    pages = (recording.heap[first * PAGE : (first + count) * PAGE] for first, count in runs)
    return joined(header, recording.head, *pages)


def joined(header: Mapping[str, Any], *rest: bytes) -> bytes:
    """Return a file with this header and, aligned behind it, the rest."""
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-(len(MAGIC) + 4 + len(text)) % ALIGNMENT)
    return b"".join([MAGIC, struct.pack("<I", len(text)), text, *rest])


def filled(heap: bytes) -> Iterator[tuple[int, int]]:
    """Yield the runs of pages that aren't all zero: first page, number of pages.

    Example:
        >>> list(filled(bytes(4096) + b"a" * 8192 + bytes(4096) + b"b"))
        [(1, 2), (4, 1)]
    """
    empty = bytes(PAGE)
    first = None
    pages = -(-len(heap) // PAGE)
    for page in range(pages):
        found = heap[page * PAGE : (page + 1) * PAGE]
        zero = found == empty[: len(found)]
        if zero and first is not None:
            yield first, page - first
            first = None
        elif not zero and first is None:
            first = page
    if first is not None:
        yield first, pages - first


def split(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return a file's header and what comes behind it."""
    if data[:4] != MAGIC:
        raise ValueError("this isn't a snapshot")
    (length,) = struct.unpack_from("<I", data, 4)
    return json.loads(data[8 : 8 + length]), data[8 + length :]
