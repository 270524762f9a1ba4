"""What of a blob is here, and what to ask a server for. Pure decisions.

A blob is known by its chunks. A chunk is here when parts of an interrupted download cover it, or
when a file that is here has one with the same SHA-256. What is missing is asked for in spans.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from satchel.chunks import Chunk
from satchel.manifest import Reference
from satchel.platform import Blob, Part, Slice, Span

__all__ = ["JOIN", "Plan", "Source", "plan", "spans"]

JOIN = 32 * 1024
"""Bytes between two missing chunks that are fetched again rather than asked around: a request of
its own costs a round trip, in which a link of 10 Mbit/s carries 31 KB (25 ms)."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is here, whose chunks may be used again."""

    blob: Blob
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a blob comes together.

    Attributes:
        wanted: The blob.
        chunks: All its chunks, in order.
        here: Where chunks are that need not be fetched, by their start.
        sources: Files that chunks may be taken from.
        distrust: SHA-256 of chunks that no source may give.
    """

    wanted: Reference
    chunks: tuple[Chunk, ...]
    here: Mapping[int, tuple[Slice, ...]]
    sources: tuple[Source, ...] = ()
    distrust: frozenset[str] = frozenset()

    @property
    def missing(self) -> tuple[Chunk, ...]:
        """Chunks to fetch."""
        return tuple(chunk for chunk in self.chunks if chunk.start not in self.here)

    @property
    def spans(self) -> tuple[Span, ...]:
        """What to ask for."""
        return spans(self.missing)

    @property
    def download_size(self) -> int:
        """Bytes of the chunks to fetch; what lies between them in a span doesn't count."""
        return sum(chunk.size for chunk in self.missing)


def plan(
    wanted: Reference,
    chunks: Sequence[Chunk],
    sources: Iterable[Source] = (),
    parts: Sequence[Part] = (),
    *,
    distrust: Set[str] = frozenset(),
) -> Plan:
    """Decide where each chunk of a blob comes from.

    Args:
        wanted: The blob.
        chunks: From its chunk index; none: it is one chunk.
        sources: Files that are here.
        parts: What an interrupted download left of this blob, in order.
        distrust: SHA-256 of chunks that were found spoilt in the sources.
    """
    whole = (Chunk(wanted.sha256, 0, wanted.size),) if wanted.size else ()
    wanted_chunks, given = tuple(chunks) or whole, tuple(sources)
    found = {
        chunk.sha256: Slice(source.blob, chunk.start, chunk.start + chunk.size)
        for source in given
        for chunk in source.chunks
        if chunk.sha256 not in distrust
    }
    held = [(part.start, part.start + part.blob.size, part.blob) for part in parts]
    here = {}
    for chunk in wanted_chunks:
        slices = tuple(_covering(held, chunk.start, chunk.start + chunk.size))
        if sum(part.stop - part.start for part in slices) == chunk.size:
            here[chunk.start] = slices
        elif chunk.sha256 in found:
            here[chunk.start] = (found[chunk.sha256],)
    return Plan(wanted, wanted_chunks, here, given, frozenset(distrust))


def spans(missing: Iterable[Chunk], join: int = JOIN) -> tuple[Span, ...]:
    """The chunks' bytes as few spans, in order; gaps of up to ``join`` bytes are bridged."""
    joined: list[Span] = []
    for chunk in missing:
        stop = chunk.start + chunk.size
        if joined and chunk.start - joined[-1].stop <= join:
            joined[-1] = Span(joined[-1].start, stop)
        else:
            joined.append(Span(chunk.start, stop))
    return tuple(joined)


def _covering(held: Sequence[tuple[int, int, Blob]], start: int, stop: int) -> Iterator[Slice]:
    """The bytes from ``start`` on, as far as what is held follows on without a gap."""
    first = max(0, bisect_right(held, start, key=lambda part: part[0]) - 1)
    for begin, end, blob in held[first:]:
        if not begin <= start < min(end, stop):
            return
        yield Slice(blob, start - begin, min(end, stop) - begin)
        start = min(end, stop)
