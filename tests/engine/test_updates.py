"""EdgeModelManager: one model kept up to date from a signed repository, here and in the browser."""

import dataclasses

import numpy as np
import pytest

import satchel
from satchel import EdgeModelManager, history, offers
from satchel.library import Library
from satchel.platform import PutRecord


@pytest.fixture
def manager(platform, files, served):
    """A manager of the repository as it is at a moment."""

    def at(moment, **more):
        root = (files / "updates" / "root.json").read_bytes()
        url = f"{served}updates/{moment.replace(' ', '%20')}"
        return EdgeModelManager(url, model_id="w", trusted_root=root, platform=platform, **more)

    return at


async def bring(manager, callback=None, **more):
    """All steps."""
    update = await manager.check_for_updates()
    artifact = await manager.download_update(update, callback)
    assert await manager.verify_update(artifact, update.sha256)
    return update, await manager.apply_update(artifact, **more)


async def answer(runtime):
    async with runtime:
        return (await runtime.infer(np.ones((1, 512), np.float32)))[0, 0]


async def test_a_model_is_brought_here_updated_and_brought_back(manager, platform):
    seen = []
    update, result = await bring(manager("first"), lambda *figures: seen.append(figures))
    assert (result.success, result.version, result.validation) == (True, "1.0.0", "passed")
    assert update.download_size == update.size + (await golden_size(update))
    assert all(received <= total for received, total in seen)
    assert seen[-1] == (update.download_size, update.download_size)
    first = await answer(await result.runtime())

    update, result = await bring(manager("second"))
    assert (update.version, update.changelog, update.mandatory) == (
        "1.1.0",
        "Knows puffins.",
        False,
    )
    assert update.download_size < update.size / 3
    assert (result.success, result.version, result.error) == (True, "1.1.0", None)
    second = await answer(await result.runtime())
    assert first != second

    installed = await manager("second").rollback()
    assert str(installed.active) == "1.0.0"
    assert await answer(await Library(platform).open("w")) == first
    assert await manager("second").check_for_updates() is None  # the person went back from it


async def golden_size(update):
    return update.offer.variant.golden.size


async def test_what_is_up_to_date_has_no_update(manager):
    await bring(manager("first"))
    assert await manager("first").check_for_updates() is None
    assert await manager("first").offered() is None


async def test_an_offer_is_known_offline(manager):
    await bring(manager("first"))
    found = await manager("second").check_for_updates()
    offered = await manager("nowhere").offered()
    assert (offered.version, offered.offer) == ("1.1.0", found.offer)


async def test_a_callback_may_be_a_coroutine(manager):
    seen = []

    async def note(received, total):
        seen.append((received, total))

    await bring(manager("first"), note)
    assert seen
    assert seen[-1][0] == seen[-1][1]


async def test_another_hash_than_the_expected_one_is_not_verified(manager):
    update = await manager("first").check_for_updates()
    artifact = await manager("first").download_update(update)
    assert not await manager("first").verify_update(artifact, "ab" * 32)


async def test_a_version_that_breaks_its_promise_is_set_aside(manager, platform):
    await bring(manager("first"))
    _, result = await bring(manager("broken"))
    assert (result.success, result.version, result.validation) == (False, "1.0.0", "failed")
    assert isinstance(result.error, satchel.ValidationError)
    assert result.rolled_back
    assert await answer(await result.runtime())
    assert await manager("broken").check_for_updates() is None
    assert await platform.store.part_sizes() == {}
    assert await offers.of(platform, "w") is None
    (entry, *_) = await history.read(platform.store)
    assert entry.outcome == "failed"
    await Library(platform).offer_again("w", "1.2.0")
    assert (await manager("broken").check_for_updates()).version == "1.2.0"


async def test_without_safe_mode_nothing_is_kept_to_go_back_to(manager, platform):
    await bring(manager("first"))
    await bring(manager("second"), safe_mode=False)
    with pytest.raises(satchel.LibraryError, match="no previous version"):
        await manager("second").rollback()
    assert len((await Library(platform).installed("w")).versions) == 1


async def test_a_staged_release_comes_to_those_devices_that_are_in(manager):
    await bring(manager("first"))
    assert await manager("staged").check_for_updates() is None


async def test_a_mandatory_release_says_so(manager):
    await bring(manager("first"))
    assert (await manager("mandatory").check_for_updates()).mandatory


async def test_a_release_for_a_newer_satchel_is_not_offered(manager):
    await bring(manager("first"))
    assert await manager("newer app").check_for_updates() is None


async def test_a_withdrawn_version_is_left_at_once_and_stays_away(manager, platform):
    await bring(manager("first"))
    await bring(manager("second"))
    assert await manager("withdrawn").check_for_updates() is None
    assert str((await Library(platform).installed("w")).active) == "1.0.0"
    with pytest.raises(satchel.LibraryError, match="no previous version"):
        await manager("withdrawn").rollback()


async def test_a_withdrawn_version_without_another_one_here_is_replaced_by_an_older_one(manager):
    await bring(manager("second"))
    update, result = await bring(manager("withdrawn"))
    assert (update.version, update.mandatory) == ("1.0.0", True)
    assert (result.success, result.version) == (True, "1.0.0")


async def test_an_older_repository_is_refused_and_the_model_goes_on(manager, platform):
    await bring(manager("second"))
    with pytest.raises(satchel.TrustError):
        await manager("first").check_for_updates()
    assert await answer(await Library(platform).open("w"))


async def test_a_model_that_the_repository_lacks_is_named(platform, files, served):
    root = (files / "updates" / "root.json").read_text()
    other = EdgeModelManager(
        f"{served}updates/first", model_id="x", trusted_root=root, platform=platform
    )
    with pytest.raises(satchel.UpdateError, match="no model 'x'"):
        await other.check_for_updates()


async def test_a_dropped_download_starts_anew_and_stays_on_offer(manager, platform):
    await bring(manager("first"))
    update = await manager("second").check_for_updates()
    await manager("second").download_update(update)
    assert await platform.store.part_sizes() != {}
    await manager("second").discard()
    assert await platform.store.part_sizes() == {}
    dropped = dataclasses.replace(update.offer, paused=True)  # it does not begin again unasked
    assert await manager("second").offered() == dataclasses.replace(update, offer=dropped)
    _, result = await bring(manager("second"))
    assert result.success


async def test_what_an_older_check_left_is_dropped_with_its_offer(manager, platform):
    await bring(manager("first"))
    update = await manager("second").check_for_updates()
    await manager("second").download_update(update)
    assert (await manager("broken").check_for_updates()).version == "1.2.0"
    wanted = {item.sha256 for item in offers.files(await offers.of(platform, "w"))}
    assert set(await platform.store.part_sizes()) <= wanted


async def test_records_of_the_first_schema_are_still_understood(manager, platform):
    await bring(manager("first"))
    record = await platform.store.record("models", "w")
    for name in ("probation", "set_aside", "minimum_version", "revoked", "used_at"):
        del record[name]
    for version in record["versions"]:
        del version["validated_in"]
    await platform.store.commit(
        [PutRecord("models", "w", record), PutRecord("meta", "schema", {"schema": 1})]
    )
    assert await answer(await Library(platform).open("w"))
    _, result = await bring(manager("second"))
    assert result.success
