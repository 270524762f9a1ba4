"""The chunk index: small, strict, and about exactly one blob."""

import hashlib

import pytest

from satchel import ManifestError
from satchel.chunks import Chunk, decode, encode

PARTS = (b"first", b"the second one", b"3")


@pytest.fixture
def chunks():
    found, start = [], 0
    for part in PARTS:
        found.append(Chunk(hashlib.sha256(part).hexdigest(), start, len(part)))
        start += len(part)
    return tuple(found)


def test_an_index_is_read_as_it_was_written(chunks):
    data = encode(chunks)
    assert len(data) == 36 * len(PARTS)
    assert data[:36] == hashlib.sha256(b"first").digest() + b"\x05\0\0\0"
    assert decode(data, sum(map(len, PARTS))) == chunks


def test_a_cut_index_is_refused(chunks):
    with pytest.raises(ManifestError, match="is cut"):
        decode(encode(chunks)[:-1], 20)


@pytest.mark.parametrize("size", [19, 21, 0])
def test_an_index_of_another_blob_is_refused(chunks, size):
    with pytest.raises(ManifestError, match="20 bytes together"):
        decode(encode(chunks), size)


def test_an_empty_chunk_is_refused():
    with pytest.raises(ManifestError, match="another file"):
        decode(encode([Chunk("ab" * 32, 0, 0)]), 0)
