"""Chunks, parts and downloads against a real server: some serve ranges, some serve whole files."""

import hashlib
import random

import pytest

import satchel
from satchel import transfer
from satchel.chunks import Chunk
from satchel.digests import verified
from satchel.manifest import Reference
from satchel.platform import DeleteParts, PutBlob, PutPart, Span
from satchel.transfer import Source

LARGE = "noise.bin"
QUICK = transfer.Limits(first_wait=0.01)


def reference(data):
    return Reference(hashlib.sha256(data).hexdigest(), len(data))


def chunked(data, seed=1, smallest=2000, largest=60_000):
    """Chunks of random sizes."""
    sizes, start = random.Random(seed), 0
    while start < len(data):
        piece = data[start : start + sizes.randint(smallest, largest)]
        yield Chunk(hashlib.sha256(piece).hexdigest(), start, len(piece))
        start += len(piece)


@pytest.fixture
def data(files):
    return (files / LARGE).read_bytes()


@pytest.fixture
def url(served):
    return served + LARGE


async def planned(platform, data, sources=(), **more):
    parts = await platform.store.parts(reference(data).sha256)
    return transfer.plan(reference(data), tuple(chunked(data)), sources, parts, **more)


async def put_parts(platform, data, *spans):
    digest = reference(data).sha256
    await platform.store.commit(
        [PutPart(digest, start, platform.blob(data[start:stop])) for start, stop in spans]
    )


# ---- the store


async def test_parts_are_kept_in_order_counted_and_deleted_together_or_singly(platform):
    store = platform.store
    one, other = "ab" * 32, "cd" * 32
    starts = (0, 9, 10, 2**33)
    sizes = {start: start % 7 + 1 for start in starts}
    puts = [PutPart(one, start, platform.blob(b"x" * sizes[start])) for start in reversed(starts)]
    await store.commit([*puts, PutPart(other, 5, platform.blob(b"other"))])
    await store.close()
    parts = await store.parts(one)
    assert [part.start for part in parts] == list(starts)
    assert [part.blob.size for part in parts] == list(sizes.values())
    assert await store.part_sizes() == {one: sum(sizes.values()), other: 5}
    await store.commit([DeleteParts(one, 9), DeleteParts(one, 1234)])
    assert [part.start for part in await store.parts(one)] == [0, 10, 2**33]
    await store.commit([DeleteParts(one), DeleteParts("ef" * 32)])
    assert await store.parts(one) == []
    ((_, blob),) = [(part.start, part.blob) for part in await store.parts(other)]
    assert await blob.read() == b"other"
    assert await store.blobs() == {}


async def test_a_part_is_replaced_by_one_of_the_same_place(platform):
    for content in (b"first", b"second"):
        await platform.store.commit([PutPart("ab" * 32, 3, platform.blob(content))])
    (part,) = await platform.store.parts("ab" * 32)
    assert await part.blob.read() == b"second"


async def test_the_blob_is_put_and_its_parts_go_in_one_commit(platform, data, url):
    wanted = await planned(platform, data)
    await transfer.download(platform, url, wanted)
    blob = await transfer.assemble(platform, wanted)
    digest = wanted.wanted.sha256
    await platform.store.commit([PutBlob(digest, blob), DeleteParts(digest)])
    await platform.store.close()
    assert await (await platform.store.blob(digest)).read() == data
    assert await platform.store.parts(digest) == []
    assert await platform.store.part_sizes() == {}


async def test_composed_blobs_read_across_their_slices(platform):
    blobs = [platform.blob(bytes(range(start, start + 10))) for start in (0, 50, 100)]
    await platform.store.commit([PutBlob("ab" * 32, blobs[1])])
    blobs[1] = await platform.store.blob("ab" * 32)
    whole = platform.compose([transfer.Slice(blob, 2, 8) for blob in blobs])
    expected = bytes([*range(2, 8), *range(52, 58), *range(102, 108)])
    assert whole.size == 18
    for start, stop in ((0, None), (0, 18), (5, 7), (4, 14), (17, 18), (6, 6)):
        assert await whole.read(start, stop) == expected[start:stop]


# ---- asking servers


async def test_a_span_is_answered_with_its_bytes_or_the_whole_file(platform, data, url):
    for span in (None, Span(1000, 70_000), Span(len(data) - 5, len(data))):
        async with platform.fetcher.get(url, span) as answer:
            body = b"".join([bytes(piece.view()) async for piece in answer])
        begin = answer.start
        asked = data if answer.whole else data[span.start : span.stop]
        assert (begin, body) == (0 if answer.whole else span.start, asked)


async def test_pieces_are_cut_and_joined_without_losing_a_byte(platform, data, url):
    cut = []
    async with platform.fetcher.get(url) as answer:
        async for piece in answer:
            middle = piece.size // 3
            cut += [piece.cut(0, middle), piece.cut(middle, piece.size)]
            assert await cut[-1].read() == bytes(piece.view())[middle:]
    joined = platform.compose([transfer.Slice(part, 0, part.size) for part in cut])
    assert await joined.read() == data


async def test_a_refusal_tells_its_status(platform, served):
    with pytest.raises(satchel.NetworkError, match="404") as caught:
        async with platform.fetcher.get(served + "nothing-here"):
            pass
    assert caught.value.status == 404


async def test_a_server_that_is_not_there_is_a_network_error(platform):
    with pytest.raises(satchel.NetworkError) as caught:
        async with platform.fetcher.get("http://127.0.0.1:9/"):
            pass
    assert caught.value.status is None


# ---- downloads


async def test_a_download_is_assembled_and_verified(platform, data, url):
    told = []
    wanted = await planned(platform, data)
    await transfer.download(platform, url, wanted, lambda *figures: told.append(figures))
    blob = await transfer.assemble(platform, wanted)
    assert await verified(blob, wanted.wanted)
    assert await blob.read() == data
    assert told == sorted(set(told))
    assert (told[0], told[-1]) == ((0, len(data)), (len(data), len(data)))


async def test_what_parts_and_sources_have_is_not_fetched_again(platform, data, url):
    third = len(data) // 3
    await put_parts(platform, data, (0, third))
    older = platform.blob(b"something else" + data[third : 2 * third] + b"and so on")
    pieces = [c for c in chunked(data) if third <= c.start and c.start + c.size <= 2 * third]
    moved = tuple(Chunk(c.sha256, c.start - third + 14, c.size) for c in pieces)
    wanted = await planned(platform, data, [Source(older, moved)])
    assert len(data) // 4 < wanted.download_size < len(data) // 2
    told = []
    await transfer.download(platform, url, wanted, lambda *figures: told.append(figures))
    assert told[-1] == (wanted.download_size, wanted.download_size)
    assert await (await transfer.assemble(platform, wanted)).read() == data


async def test_nothing_is_asked_for_when_everything_is_here(platform, data):
    await put_parts(platform, data, (0, 1000), (1000, len(data)))
    wanted = await planned(platform, data)
    assert wanted.spans == ()
    await transfer.download(platform, "http://127.0.0.1:9/", wanted)
    assert await (await transfer.assemble(platform, wanted)).read() == data


async def test_without_an_index_a_blob_is_one_chunk(platform, data, url):
    wanted = transfer.plan(reference(data), (), (), ())
    await transfer.download(platform, url, wanted)
    ((start, blob),) = [(p.start, p.blob) for p in await platform.store.parts(wanted.wanted.sha256)]
    assert (start, await blob.read()) == (0, data)


async def test_a_plan_of_which_something_is_missing_is_not_assembled(platform, data):
    with pytest.raises(satchel.IntegrityError, match=f"{len(data)} of {len(data)} bytes"):
        await transfer.assemble(platform, await planned(platform, data))


async def test_another_file_is_refused_and_nothing_of_it_is_kept(platform, data, served):
    wanted = await planned(platform, data)
    with pytest.raises(satchel.IntegrityError, match=r"several\.onnx.*SHA-256|only"):
        await transfer.download(platform, served + "several.onnx", wanted, limits=QUICK)
    assert await platform.store.part_sizes() == {}


async def test_a_spoilt_source_is_found_and_replaced_from_the_network(platform, data, url):
    spoilt = bytearray(data)
    spoilt[len(data) // 2] ^= 1
    source = Source(platform.blob(bytes(spoilt)), tuple(chunked(data)))
    wanted = await planned(platform, data, [source])
    assert wanted.download_size == 0
    assert not await verified(await transfer.assemble(platform, wanted), wanted.wanted)
    mended = await transfer.checked(platform, wanted)
    assert 0 < mended.download_size <= 60_000
    await transfer.download(platform, url, mended)
    assert await verified(await transfer.assemble(platform, mended), wanted.wanted)


async def test_a_spoilt_part_is_deleted_and_fetched_again(platform, data, url):
    spoilt = bytearray(data)
    spoilt[90_000] ^= 1
    digest = reference(data).sha256
    border = next(chunk.start for chunk in chunked(data) if chunk.start > 100_000)
    halves = [(0, border), (border, len(data))]
    await platform.store.commit(
        [PutPart(digest, start, platform.blob(bytes(spoilt[start:stop]))) for start, stop in halves]
    )
    wanted = await planned(platform, data)
    assert not await verified(await transfer.assemble(platform, wanted), wanted.wanted)
    mended = await transfer.checked(platform, wanted)
    assert mended.download_size == border
    await transfer.download(platform, url, mended)
    assert await verified(await transfer.assemble(platform, mended), wanted.wanted)


async def test_when_all_chunks_are_right_and_the_whole_is_not_nothing_is_left_to_fetch(
    platform, data
):
    await put_parts(platform, data, (0, len(data)))
    wanted = transfer.plan(
        Reference("ab" * 32, len(data)),
        tuple(chunked(data)),
        [Source(platform.blob(data), tuple(chunked(data)))],
    )
    assert not await verified(await transfer.assemble(platform, wanted), wanted.wanted)
    assert (await transfer.checked(platform, wanted)).missing == ()


async def test_small_blobs_come_whole(platform, files, served):
    labels = (files / "labels.txt").read_bytes()
    told = []
    blob = await transfer.fetch_blob(
        platform, served + "labels.txt", reference(labels), lambda *figures: told.append(figures)
    )
    assert await blob.read() == labels
    assert told == [(0, len(labels)), (len(labels), len(labels))]
    assert await platform.store.part_sizes() == {}
