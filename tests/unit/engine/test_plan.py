"""A plan asks for what is missing and nothing else, and what it finds makes up the blob."""

import hashlib
import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.chunks import Chunk
from satchel.manifest import Reference
from satchel.picker import Picker
from satchel.plan import JOIN, Source, plan, spans
from satchel.platform import Part, Span


@dataclass(frozen=True)
class Bytes:
    """A blob as the planner sees it, and a piece as the picker does."""

    data: bytes

    @property
    def size(self):
        return len(self.data)

    def view(self):
        return self.data

    def cut(self, start, stop):
        return Bytes(self.data[start:stop])


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def cut(data, sizes):
    chunks, start = [], 0
    for size in sizes:
        chunks.append(Chunk(sha256(data[start : start + size]), start, size))
        start += size
    return tuple(chunks)


@st.composite
def blobs(draw):
    """(bytes, its chunks). Few different bytes, so that chunks repeat."""
    sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=30))
    data = draw(st.lists(st.sampled_from(b"ab"), min_size=sum(sizes), max_size=sum(sizes)))
    return bytes(data), cut(bytes(data), sizes)


@st.composite
def situations(draw):
    """(bytes, chunks, sources, parts, what sources may not give)."""
    data, chunks = draw(blobs())
    sources = [
        Source(Bytes(other), theirs) for other, theirs in draw(st.lists(blobs(), max_size=2))
    ]
    borders = sorted(draw(st.sets(st.integers(0, len(data)), max_size=8)))
    stretches = draw(st.lists(st.booleans(), min_size=len(borders), max_size=len(borders)))
    parts = [
        Part(start, Bytes(data[start:stop]))
        for start, stop, here in zip(borders, borders[1:], stretches, strict=False)
        if here
    ]
    distrust = draw(st.sets(st.sampled_from([chunk.sha256 for chunk in chunks]), max_size=2))
    return data, chunks, sources, parts, distrust


def made(data, chunks, sources, parts, distrust):
    wanted = Reference(sha256(data), len(data))
    return plan(wanted, chunks, sources, parts, distrust=distrust)


@given(situations())
def test_what_is_here_and_what_is_missing_make_up_the_blob(situation):
    data, chunks, *_ = situation
    ours = made(*situation)
    together = b""
    for chunk in chunks:
        slices = ours.here.get(chunk.start)
        if slices is None:
            together += data[chunk.start : chunk.start + chunk.size]
        else:
            together += b"".join(item.blob.data[item.start : item.stop] for item in slices)
    assert together == data


@given(situations())
def test_exactly_what_neither_parts_nor_trusted_sources_have_is_missing(situation):
    _, chunks, sources, parts, distrust = situation
    covered = {at for part in parts for at in range(part.start, part.start + part.blob.size)}
    usable = {chunk.sha256 for source in sources for chunk in source.chunks} - distrust
    expected = tuple(
        chunk
        for chunk in chunks
        if chunk.sha256 not in usable
        and not covered.issuperset(range(chunk.start, chunk.start + chunk.size))
    )
    ours = made(*situation)
    assert ours.missing == expected
    assert ours.download_size == sum(chunk.size for chunk in expected)


@given(situations(), st.integers(0, 6))
def test_spans_cover_the_missing_chunks_and_bridge_small_gaps_only(situation, join):
    missing = made(*situation).missing
    joined = spans(missing, join)
    asked = [at for span in joined for at in range(span.start, span.stop)]
    needed = {at for chunk in missing for at in range(chunk.start, chunk.start + chunk.size)}
    assert asked == sorted(set(asked))
    assert needed <= set(asked)
    assert all(span.start in needed and span.stop - 1 in needed for span in joined)
    gaps = [later.start - earlier.stop for earlier, later in itertools.pairwise(joined)]
    assert all(gap > join for gap in gaps)
    bridged = sorted(set(asked) - needed)
    runs = [at for at in bridged if at - 1 not in bridged]
    assert all(not set(range(at, at + join + 1)) <= set(bridged) for at in runs)


@given(situations(), st.integers(0, 100), st.lists(st.integers(1, 7), min_size=1))
def test_of_any_part_of_the_file_the_missing_chunks_in_it_are_picked(situation, begin, sizes):
    data = situation[0]
    missing = made(*situation).missing
    picker, at, picked = Picker(missing), min(begin, len(data)), []
    begin = at
    while at < len(data):
        size = sizes[len(picked) % len(sizes)]
        for chunk, pieces in picker.take(at, Bytes(data[at : at + size])):
            assert b"".join(piece.data for piece in pieces) == data[chunk.start :][: chunk.size]
            picked.append(chunk)
        at += size
    assert picked == [chunk for chunk in missing if chunk.start >= begin]
    assert picker.pending == 0


@given(blobs(), st.data())
def test_a_chunk_with_a_wrong_byte_is_picked_as_wrong(blob, draw):
    data, chunks = blob
    where = draw.draw(st.integers(0, len(data) - 1))
    spoilt = data[:where] + b"!" + data[where + 1 :]
    wrong = [chunk for chunk, pieces in Picker(chunks).take(0, Bytes(spoilt)) if pieces is None]
    assert wrong == [c for c in chunks if c.start <= where < c.start + c.size]


def test_a_file_without_an_index_is_one_chunk():
    ours = plan(Reference("ab" * 32, 7), ())
    assert ours.missing == (Chunk("ab" * 32, 0, 7),)
    assert ours.spans == (Span(0, 7),)


@pytest.mark.parametrize(("gap", "requests"), [(0, 1), (JOIN, 1), (JOIN + 1, 2)])
def test_a_gap_is_bridged_when_a_request_would_cost_more(gap, requests):
    chunks = [Chunk("ab" * 32, 0, 100), Chunk("cd" * 32, 100 + gap, 100)]
    assert len(spans(chunks)) == requests
