"""The file format of a snapshot: a header that says what it is, and the pages that hold something.

    4 bytes   MAGIC
    4 bytes   length of the header, little-endian
    …         header, JSON, filled up with spaces to ALIGNMENT
    …         `head`: what Pyodide writes before the heap: its build's id, its JavaScript objects
    …         the heap's pages that hold something, one after the other

Two kinds of pages aren't stored: those that are all zero, and those that a fresh instance has alike
(constants: a fifth of it all). `runs` in the header lists the rest: the first page, how many, and
whether they are stored (1) or a fresh instance's own (0).

The whole travels in the wire form (`builder.wire`). app/static/snapshot/format.mjs reads it.
"""

import itertools
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAGIC = b"SNAP"
FORMAT = 2
PAGE = 4096
ALIGNMENT = 16


@dataclass(frozen=True)
class Recording:
    """What came out of the browser."""

    head: bytes
    heap: bytes
    fresh: bytes
    """The heap of an instance that Python has not started in: what a restore begins with."""
    table: Mapping[str, Any]
    """The function table beyond Pyodide's own, and the libraries' handles: see internals.mjs."""

    @classmethod
    def of(cls, snapshot: bytes, fresh: bytes, table: Mapping[str, Any]) -> "Recording":
        """Split what `makeMemorySnapshot` gave: its second word says where the heap begins."""
        (start,) = struct.unpack_from("<I", snapshot, 4)
        return cls(snapshot[:start], snapshot[start:], fresh, table)


def pack(recording: Recording, ids: Mapping[str, str]) -> bytes:
    """Return the file's bytes, not compressed yet.

    Args:
        recording: The heap, and what belongs to it.
        ids: What all of it was made from; a page with other parts won't use it.
    """
    runs = list(filled(recording.heap, recording.fresh))
    header = {
        "format": FORMAT,
        "ids": dict(ids),
        "table": recording.table,
        "heap": len(recording.heap),
        "head": len(recording.head),
        "page": PAGE,
        "runs": runs,
    }
    pages = (
        recording.heap[first * PAGE : (first + count) * PAGE]
        for first, count, stored in runs
        if stored
    )
    return joined(header, recording.head, *pages)


def joined(header: Mapping[str, Any], *rest: bytes) -> bytes:
    """Return a file with this header and, aligned behind it, the rest."""
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-(len(MAGIC) + 4 + len(text)) % ALIGNMENT)
    return b"".join([MAGIC, struct.pack("<I", len(text)), text, *rest])


def filled(heap: bytes, fresh: bytes = b"") -> Iterator[tuple[int, int, int]]:
    """Yield the runs of pages that aren't all zero: first page, number of pages, stored (1) or not.

    Example:
        >>> list(filled(bytes(4096) + b"a" * 8192 + bytes(4096) + b"b"))
        [(1, 2, 1), (4, 1, 1)]
        >>> list(filled(b"a" * 8192, b"a" * 4096))
        [(0, 1, 0), (1, 1, 1)]
    """
    kinds = (_kind(heap, fresh, page) for page in range(-(-len(heap) // PAGE)))
    page = 0
    for kind, alike in itertools.groupby(kinds):
        count = sum(1 for _ in alike)
        if kind is not None:
            yield page, count, kind
        page += count


def _kind(heap: bytes, fresh: bytes, page: int) -> int | None:
    found = heap[page * PAGE : (page + 1) * PAGE]
    if not any(found):
        return None
    return int(found != fresh[page * PAGE : (page + 1) * PAGE])


def split(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return a file's header and what comes behind it."""
    if data[:4] != MAGIC:
        raise ValueError("this isn't a snapshot")
    (length,) = struct.unpack_from("<I", data, 4)
    return json.loads(data[8 : 8 + length]), data[8 + length :]
