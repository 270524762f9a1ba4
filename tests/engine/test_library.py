"""The model library: install, open, go back, pin, delete; nothing half done."""

import asyncio
import hashlib

import numpy as np
import pytest

import satchel
from satchel import EdgeRuntime, Manifest
from satchel.installer import Installer
from satchel.library import Library
from satchel.manifest import Reference, Release, Variant
from satchel.platform import DeleteBlob, PutBlob, PutRecord
from satchel.versions import Version


def reference(data):
    return Reference(hashlib.sha256(data).hexdigest(), len(data))


@pytest.fixture
def manifest(files):
    """A manifest of two releases: identity-float32, then relu."""

    def release(version, name, **more):
        variant = Variant(
            "plain",
            "onnxruntime",
            reference((files / f"{name}.onnx").read_bytes()),
            files={"labels": reference((files / "labels.txt").read_bytes())},
        )
        return Release(Version.parse(version), "", "Apache-2.0", {"browser": (variant,)}, **more)

    releases = (release("1.0.0", "identity-float32"), release("1.1.0", "fixed"))
    return Manifest("shapes", "label", "Shapes", releases)


@pytest.fixture
def locate(files, served):
    """URLs of blobs by digest, on a real server."""
    names = {
        reference(path.read_bytes()).sha256: path.name
        for path in files.iterdir()
        if path.suffix in (".onnx", ".txt")
    }
    return lambda item: served + names[item.sha256]


async def install(platform, manifest, locate, **more):
    return await Installer(Library(platform), platform, locate).install(manifest, **more)


X = np.array([[-1, 2, -3], [4, -5, 6]], np.float32)


async def test_a_model_is_cached_and_found_again(model, platform):
    async with EdgeRuntime(model("fixed"), platform=platform) as runtime:
        await runtime.cache_model("relu", version="2.0.0")
    found = await EdgeRuntime.load_cached_model("relu", platform=platform)
    np.testing.assert_array_equal(await found.infer(X), np.maximum(X, 0))
    await found.close()
    (listed,) = await Library(platform).list()
    assert (listed.model, str(listed.active)) == ("relu", "2.0.0")


async def test_a_model_that_is_not_there_is_none_and_opening_it_says_what_to_do(platform):
    assert await EdgeRuntime.load_cached_model("nothing", platform=platform) is None
    with pytest.raises(satchel.ModelNotFoundError, match="Install it first"):
        await Library(platform).open("nothing")


async def test_installing_downloads_with_progress_and_opens_with_its_files(
    platform, manifest, locate
):
    library, seen = Library(platform), []
    installed = await install(
        platform, manifest, locate, progress=lambda received, total: seen.append((received, total))
    )
    assert str(installed.active) == "1.1.0"
    assert seen[-1][0] == seen[-1][1] == installed.size
    assert [received for received, _ in seen] == sorted(received for received, _ in seen)
    async with await library.open("shapes") as runtime:
        np.testing.assert_array_equal(await runtime.infer(X), np.maximum(X, 0))
    assert (await library.file("shapes", "labels")).decode().split() == ["red", "green", "blue"]
    assert (await library.usage()).models == {"shapes": installed.size}


async def test_installing_what_is_there_fetches_nothing(platform, manifest, locate):
    library = Library(platform)
    await install(platform, manifest, locate)

    def fail(item):
        raise AssertionError(f"{item} was fetched again")

    assert await install(platform, manifest, fail) == (await library.list())[0]


async def test_what_two_versions_share_is_fetched_once(platform, manifest, locate):
    fetched = []

    def spy(item):
        fetched.append(item.sha256)
        return locate(item)

    await install(platform, manifest, spy, version="1.0.0")
    await install(platform, manifest, spy, version="1.1.0")
    assert len(fetched) == len(set(fetched)) == 3


async def test_rolling_back_gives_the_previous_version_and_again_the_newer(
    platform, manifest, locate
):
    library = Library(platform)
    await install(platform, manifest, locate, version="1.0.0")
    with pytest.raises(satchel.LibraryError, match="no previous version"):
        await library.rollback("shapes")
    await install(platform, manifest, locate, version="1.1.0")
    back = await library.rollback("shapes")
    assert (str(back.active), str(back.previous)) == ("1.0.0", "1.1.0")
    async with await library.open("shapes") as runtime:
        np.testing.assert_array_equal(await runtime.infer(X), X)
    assert str((await library.rollback("shapes")).active) == "1.1.0"


async def test_pinning_keeps_a_version_and_unpinning_lets_go(platform, manifest, locate):
    library = Library(platform)
    await install(platform, manifest, locate, version="1.0.0")
    await install(platform, manifest, locate, version="1.1.0")
    pinned = await library.pin("shapes", "1.0.0")
    assert (str(pinned.active), str(pinned.pinned)) == ("1.0.0", "1.0.0")
    assert (await library.pin("shapes")).pinned is None
    with pytest.raises(satchel.ModelNotFoundError, match=r"9.9.9"):
        await library.pin("shapes", "9.9.9")


async def test_deleting_frees_the_blobs_that_no_other_model_needs(
    model, platform, manifest, locate
):
    library = Library(platform)
    await install(platform, manifest, locate)
    async with EdgeRuntime(model("fixed"), platform=platform) as runtime:
        await runtime.cache_model("relu")  # the same blob as in 1.1.0
    await library.delete("shapes")
    await library.delete("never there")
    assert list(await platform.store.blobs()) == [reference(model("fixed")).sha256]
    async with await library.open("relu") as runtime:
        assert (await runtime.infer(X)).shape == (2, 3)


async def test_a_download_that_is_not_what_was_promised_changes_nothing(platform, manifest, served):
    library = Library(platform)
    for name, why in (("several.onnx", "more than|only|SHA-256"), ("labels.txt", "only")):
        with pytest.raises(satchel.IntegrityError, match=why):
            await install(platform, manifest, lambda _, name=name: served + name)
    with pytest.raises(satchel.NetworkError, match="404"):
        await install(platform, manifest, lambda _: served + "nothing-here")
    assert await library.list() == ()
    assert await platform.store.blobs() == {}


async def test_a_missing_blob_is_noticed_when_the_model_is_opened(platform, manifest, locate):
    library = Library(platform)
    installed = await install(platform, manifest, locate)
    await platform.store.commit([DeleteBlob(installed.current.variant.blob.sha256)])
    with pytest.raises(satchel.IntegrityError, match=r"missing.*install it again"):
        await library.open("shapes")


async def test_two_installs_at_once_download_once(platform, manifest, locate):
    fetched = []

    def spy(item):
        fetched.append(item.sha256)
        return locate(item)

    one, two = await asyncio.gather(
        install(platform, manifest, spy), install(platform, manifest, spy)
    )
    assert one == two
    assert len(fetched) == 2


async def test_a_cancelled_install_changes_nothing_and_can_be_done_again(
    platform, manifest, locate
):
    library = Library(platform)

    def cancel(received, total):
        task.cancel()

    task = asyncio.ensure_future(install(platform, manifest, locate, progress=cancel))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await library.list() == ()
    assert str((await install(platform, manifest, locate)).active) == "1.1.0"


async def test_no_variant_for_this_platform_is_an_error(platform, manifest, locate):
    with pytest.raises(satchel.UnsupportedModelError, match="'huge'"):
        await install(platform, manifest, locate, variant="huge")


async def test_a_commit_is_all_or_nothing_and_survives_reopening(platform):
    store = platform.store
    blob = platform.blob(b"\x00\x01" * 5000)
    await store.commit([PutRecord("models", "a", {"n": 1}), PutBlob("ab" * 32, blob)])
    await store.close()
    assert await store.record("models", "a") == {"n": 1}
    assert await store.records("models") == {"a": {"n": 1}}
    assert await store.blobs() == {"ab" * 32: 10000}
    found = await store.blob("ab" * 32)
    assert await found.read(3, 7) == b"\x01\x00\x01\x00"
    assert await store.blob("cd" * 32) is None
