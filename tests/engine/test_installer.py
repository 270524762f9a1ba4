"""A version's way onto the device: nothing counts before all of it is right."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from shelf import V1, V2, V3, reference

import satchel
from satchel import changes, history, offers
from satchel.installed import (
    PROBATION_FAILURES,
    PROBATION_RUNS,
    InstalledModel,
    InstalledVersion,
)
from satchel.manifest import Manifest, Reference, Release, Variant
from satchel.platform import DeleteBlob, PutBlob, PutPart


async def test_an_update_fetches_only_what_differs_and_keeps_the_version_before(shelf):
    await shelf.install()
    need = await shelf.installer.need(shelf.offer(V2, "two"))
    whole = reference(shelf.files / "two.weighty").size
    changed = 64 * 512 * 4
    assert changed <= need.download_size <= changed + 3 * 64 * 1024 + 20_000 < whole / 2
    installed = await shelf.bring(V2, "two")
    assert (installed.active, installed.previous) == (V2, V1)
    assert await shelf.answers_as("two")
    back = await shelf.library.rollback("w")
    assert (back.active, back.previous) == (V1, V2)
    assert await shelf.answers_as("one")


async def test_without_a_chunk_index_that_fits_the_file_comes_as_a_whole(shelf):
    await shelf.install()
    offer = shelf.offer(V2, "two")
    release = offer.release
    other = replace(offer.variant, chunks=reference(shelf.files / "narrow.chunks"))
    offer = replace(offer, release=replace(release, platforms={"browser": (other,)}))
    assert (await shelf.take(offer)).active == V2
    assert await shelf.answers_as("two")
    # And what was installed with such an index is no source of chunks, but no hindrance either.
    assert (await shelf.bring(V3, "one")).active == V3


async def test_after_an_update_nothing_of_it_is_left_lying_about(shelf, platform):
    await shelf.install()
    await shelf.bring(V2, "two")
    assert await platform.store.part_sizes() == {}
    assert await offers.of(platform, "w") is None
    installed = await shelf.library.installed("w")
    kept = {item.sha256 for version in installed.versions.values() for item in version.references}
    assert set(await platform.store.blobs()) == kept


async def test_the_same_files_under_a_new_version_are_not_fetched(shelf):
    await shelf.install()
    need = await shelf.installer.need(shelf.offer(V2, "one"))
    shelf.fetched.clear()
    assert need.download_size == reference(shelf.files / "one.golden").size
    await shelf.bring(V2, "one")
    assert shelf.fetched == [reference(shelf.files / "one.golden").sha256]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("junk", "does not work on this device"),
        ("renamed", "output 'y' is missing"),
        ("narrow", r"output 'y' is float32 \[1, 100\], not float32 \[1, 512\]"),
        ("nan", "not finite"),
        ("three", "cosine"),
    ],
)
async def test_a_version_that_breaks_its_promise_is_not_activated(shelf, name, words):
    await shelf.install()
    with pytest.raises(satchel.ValidationError, match=words):
        await shelf.bring(V2, name, model="one")
    assert (await shelf.library.installed("w")).active == V1
    assert await shelf.answers_as("one")


async def test_a_version_that_does_not_answer_is_stopped_and_the_old_one_goes_on(
    shelf, monkeypatch
):
    await shelf.install()
    monkeypatch.setattr("satchel.validation.SHORTEST", 1.0)
    monkeypatch.setattr("satchel.validation.FACTOR", 0.0)
    with pytest.raises(satchel.InferenceTimeoutError, match="longer than 1 seconds"):
        await shelf.bring(V2, "endless", model="one")
    assert await shelf.answers_as("one")


async def test_a_damaged_part_is_noticed_dropped_and_comes_anew(shelf, platform):
    await shelf.install()
    offer = shelf.offer(V2, "two")
    need = await shelf.installer.download(offer)
    blob = need.plans[-1].wanted
    damaged = await platform.store.parts(blob.sha256)
    content = bytearray(await damaged[0].blob.read())
    content[7] ^= 1
    await platform.store.commit(
        [PutPart(blob.sha256, damaged[0].start, platform.blob(bytes(content)))]
    )
    with pytest.raises(satchel.IntegrityError, match="comes anew"):
        await shelf.installer.verify(await shelf.installer.need(offer))
    await shelf.bring(V2, "two")
    assert await shelf.answers_as("two")


async def test_an_update_from_a_damaged_version_heals_itself(shelf):
    installed = await shelf.install()
    blob = installed.current.variant.blob
    await shelf.damage(blob)
    offer = shelf.offer(V2, "two")
    need = await shelf.installer.download(offer)
    with pytest.raises(satchel.IntegrityError):
        await shelf.installer.verify(need)
    await shelf.bring(V2, "two")
    assert await shelf.answers_as("two")


async def test_one_damaged_byte_costs_one_chunk(shelf):
    installed = await shelf.install()
    await shelf.damage(installed.current.variant.blob)
    assert await shelf.repair.damaged(installed) == (installed.current.variant.blob,)
    assert await shelf.repair.repair("w")
    assert await shelf.answers_as("one")
    (entry, *_) = await history.read(shelf.platform.store)
    assert (entry.outcome, entry.before, entry.after) == ("repaired", "1.0.0", "1.0.0")
    assert not await shelf.repair.repair("w")


async def test_a_missing_file_comes_anew(shelf):
    installed = await shelf.install()
    await shelf.platform.store.commit(
        [DeleteBlob(item.sha256) for item in installed.current.references]
    )
    assert await shelf.repair.repair("w")
    assert await shelf.answers_as("one")


async def test_a_damaged_model_says_so_when_it_is_loaded(shelf):
    installed = await shelf.install()
    blob = installed.current.variant.blob
    content = bytes(blob.size)
    await shelf.platform.store.commit([PutBlob(blob.sha256, shelf.platform.blob(content))])
    runtime = await shelf.library.open("w")
    with pytest.raises(satchel.IntegrityError, match="damaged on this device"):
        await runtime.load()
    await runtime.close()


async def good_run(runtime):
    await runtime.infer(np.ones((1, 512), np.float32))


async def bad_run(runtime):
    with np.errstate(all="ignore"):
        await runtime.infer(np.full((1, 512), np.inf, np.float32))


async def test_a_new_version_that_fails_in_real_runs_is_left_and_not_offered_again(shelf):
    await shelf.install()
    await shelf.bring(V2, "two")
    async with await shelf.library.open("w") as runtime:
        await good_run(runtime)
        for _ in range(PROBATION_FAILURES - 1):
            await bad_run(runtime)
        assert (await shelf.library.installed("w")).active == V2
        await bad_run(runtime)
    installed = await shelf.library.installed("w")
    assert (installed.active, installed.previous, installed.probation) == (V1, None, None)
    assert "not finite" in installed.set_aside[V2]
    assert await shelf.answers_as("one")
    (entry, *_) = await history.read(shelf.platform.store)
    assert (entry.outcome, entry.before, entry.after) == ("rolled back", "1.1.0", "1.0.0")


async def test_a_new_version_that_does_well_has_proved_itself(shelf):
    await shelf.install()
    await shelf.bring(V2, "two")
    async with await shelf.library.open("w") as runtime:
        for _ in range(PROBATION_RUNS):
            assert (await shelf.library.installed("w")).probation is not None
            await good_run(runtime)
        assert (await shelf.library.installed("w")).probation is None
        for _ in range(PROBATION_FAILURES):
            await bad_run(runtime)
    assert (await shelf.library.installed("w")).active == V2


async def test_wrong_input_and_time_outs_are_not_held_against_a_version(shelf):
    await shelf.install()
    await shelf.bring(V2, "two")
    async with await shelf.library.open("w") as runtime:
        for _ in range(PROBATION_FAILURES + 1):
            with pytest.raises(satchel.InputError):
                await runtime.infer(np.ones((1, 3), np.float32))
    assert (await shelf.library.installed("w")).active == V2


async def test_a_withdrawn_version_is_left_offline_and_never_gone_back_to(shelf):
    await shelf.install()
    await shelf.bring(V2, "two")
    manifest = Manifest("w", "", "Weighty", (shelf.release(V1, "one"),), revoked=(V2,))
    await shelf.library.inform(manifest)
    assert await shelf.answers_as("one")
    installed = await shelf.library.installed("w")
    assert (installed.active, installed.previous) == (V1, None)


async def test_going_back_or_pinning_to_a_withdrawn_version_is_refused(shelf):
    await shelf.install()
    await shelf.bring(V2, "two")
    release = shelf.release(V2, "two")
    await shelf.library.inform(Manifest("w", "", "Weighty", (release,), minimum_version=V2))
    with pytest.raises(satchel.WithdrawnError):
        await shelf.library.rollback("w")
    with pytest.raises(satchel.WithdrawnError):
        await shelf.library.pin("w", "1.0.0")
    assert (await shelf.library.installed("w")).active == V2


async def test_a_withdrawn_version_with_nothing_beside_it_says_what_to_do(shelf):
    await shelf.install()
    release = shelf.release(V2, "two")
    await shelf.library.inform(Manifest("w", "", "Weighty", (release,), revoked=(V1,)))
    with pytest.raises(satchel.WithdrawnError, match="Go online"):
        await shelf.library.open("w")


async def test_a_pinned_model_is_not_updated(shelf):
    await shelf.install()
    await shelf.library.pin("w", "1.0.0")
    with pytest.raises(satchel.LibraryError, match="stay at"):
        await shelf.bring(V2, "two")
    await shelf.library.pin("w")
    assert (await shelf.bring(V2, "two")).active == V2


async def test_what_happened_is_remembered_newest_first_and_can_be_forgotten(shelf):
    await shelf.install()
    await shelf.bring(V2, "two")
    await shelf.library.rollback("w")
    await shelf.library.delete("w")
    entries = await history.read(shelf.platform.store)
    assert [entry.outcome for entry in entries] == [
        "removed",
        "rolled back",
        "updated",
        "installed",
    ]
    await shelf.library.forget_history()
    assert await history.read(shelf.platform.store) == ()


async def test_a_cancelled_download_goes_on_where_it_stopped(shelf):
    await shelf.install()
    offer, seen = shelf.offer(V2, "three"), []

    def stop(received, total):
        seen.append(received)
        if received > total / 2:
            task.cancel()

    task = asyncio.ensure_future(shelf.installer.download(offer, stop))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await shelf.answers_as("one")
    left = await shelf.installer.need(offer)
    assert 0 < left.download_size <= reference(shelf.files / "three.weighty").size * 0.6
    await shelf.bring(V2, "three")
    assert await shelf.answers_as("three")


def test_going_back_and_forth_leaves_no_trace_of_being_set_aside():
    variant = Variant("v", "onnxruntime", Reference("ab" * 32, 1))
    release = {v: Release(v, "", "", {"browser": (variant,)}) for v in (V1, V2)}
    versions = {v: InstalledVersion(release[v], "v", "browser", "") for v in (V1, V2)}
    model = InstalledModel("m", "", "M", V2, versions, previous=V1)
    back = changes.rolled_back(model)
    assert set(back.set_aside) == {V2}
    assert set(changes.rolled_back(back).set_aside) == {V1}
