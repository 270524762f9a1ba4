"""A model's variants on a device: the one it uses, further ones beside it, and what fails here."""

import asyncio
import sys
from dataclasses import replace

import numpy as np
import pytest
from shelf import V1, V2, V3

import satchel
from satchel import history, offers, unfit
from satchel.manifest import Manifest, Release
from satchel.tasks.opening import opened

LEVITATION = ("levitation",)
"""What no device has. A test gives it to one, and takes it away."""


def release(version, *variants):
    return Release(version, "", "CC0-1.0", {"browser": variants})


def manifest(*releases):
    return Manifest("w", "", "Weighty", releases)


@pytest.fixture
def pair(shelf):
    """Two variants: one that needs levitation, and one that shares most of its bytes."""
    return shelf.variant("high", "one", needs=LEVITATION), shelf.variant("low", "two")


def lifted(platform, up=True):
    """Lets a device levitate, or not."""
    platform.features = frozenset(LEVITATION if up else ())


async def names(shelf, model="w"):
    now = (await shelf.library.installed(model)).current
    return now.chosen, [variant.name for variant in now.here]


async def test_a_device_takes_the_first_variant_that_it_can_use_and_says_why(shelf, pair):
    high, low = pair
    installed = await shelf.installer.install(manifest(release(V1, high, low)))
    assert installed.current.variant == low
    assert installed.reason.endswith("lacks levitation, so its variant “low” is used, not “high”.")
    assert high.blob.sha256 not in await shelf.platform.store.blobs()
    assert await shelf.answers_as("two")
    lifted(shelf.platform)
    await shelf.library.delete("w")
    installed = await shelf.installer.install(manifest(release(V1, high, low)))
    assert (installed.current.variant, installed.reason) == (high, "")


async def test_an_update_goes_along_the_variant_that_the_device_can_use(shelf, pair):
    high, low = pair
    await shelf.installer.install(manifest(release(V1, high, low)))
    newer = shelf.variant("high", "three", needs=LEVITATION), shelf.variant("low", "one")
    installed = await shelf.installer.install(manifest(release(V2, *newer)))
    assert (installed.current.chosen, installed.previous) == ("low", V1)
    assert await shelf.answers_as("one")
    assert (await shelf.library.rollback("w")).current.variant == low
    assert await shelf.answers_as("two")


async def test_a_further_variant_costs_only_what_it_does_not_share(shelf, pair):
    low = pair[1]
    near = shelf.variant("near", "one")
    await shelf.installer.install(manifest(release(V1, low, near)))
    shelf.fetched.clear()
    seen = []
    installed = await shelf.installer.add_variant("w", "near", lambda *now: seen.append(now))
    assert seen[-1][0] == seen[-1][1] < near.blob.size / 2
    assert await names(shelf) == ("low", ["low", "near"])
    assert installed.size < low.blob.size + near.blob.size + 10_000
    for name, file in (("low", "two"), ("near", "one")):
        async with await shelf.library.open("w", variant=name) as runtime:
            assert runtime.variant == name
            assert await shelf.answers(runtime, file)
    assert await shelf.platform.store.part_sizes() == {}
    assert await shelf.installer.add_variant("w", "near") == installed


async def test_what_there_is_to_choose_from_can_be_read_before_it_is_here(shelf, pair):
    figures = {
        "resolutions": (192,),
        "latency_ms": 9.5,
        "cpu_seconds": 0.01,
        "accuracy": {"top1": 0.8},
    }
    small = shelf.variant("small", "three", **figures)
    await shelf.installer.install(manifest(release(V1, *pair, small)))
    options = {option.variant.name: option for option in await shelf.library.variants("w")}
    assert list(options) == ["high", "low", "small"]
    assert [option.here for option in options.values()] == [False, True, False]
    assert [option.in_use for option in options.values()] == [False, True, False]
    assert "lacks levitation" in options["high"].against
    assert options["low"].against == options["small"].against == ""
    assert {key: getattr(options["small"].variant, key) for key in figures} == figures
    with pytest.raises(satchel.UnsupportedModelError, match="lacks levitation"):
        await shelf.installer.add_variant("w", "high")
    with pytest.raises(satchel.ModelNotFoundError, match="it has 'high', 'low', 'small'"):
        await shelf.installer.add_variant("w", "tiny")
    with pytest.raises(satchel.ModelNotFoundError, match="installed as 'low', not as 'small'"):
        await shelf.library.open("w", variant="small")


async def test_a_variant_that_goes_takes_its_bytes_along(shelf, pair):
    low, near = pair[1], shelf.variant("near", "one")
    await shelf.installer.install(manifest(release(V1, low, near)))
    before = set(await shelf.platform.store.blobs())
    await shelf.installer.add_variant("w", "near")
    assert set(await shelf.platform.store.blobs()) > before
    await shelf.library.remove_variant("w", "near")
    assert set(await shelf.platform.store.blobs()) == before
    assert await shelf.answers_as("two")


async def test_an_update_brings_all_variants_that_are_here_each_byte_once(shelf):
    first = release(V1, shelf.variant("big", "three"), shelf.variant("small", "one"))
    await shelf.installer.install(manifest(first))
    await shelf.installer.add_variant("w", "small")
    big, small = shelf.variant("big", "four"), shelf.variant("small", "five")
    newer = manifest(release(V2, big, small))
    installed = await shelf.library.installed("w")
    offer = offers.made(newer, newer.releases[0], shelf.platform, after=installed.current)
    need = await shelf.installer.need(offer)
    assert offer.size == big.blob.size + small.blob.size
    assert need.download_size < 1.4 * big.blob.size  # they share most of their chunks
    seen = []
    await shelf.platform.store.commit([offer.kept()])
    need = await shelf.installer.download(offer, lambda *now: seen.append(now))
    assert seen[-1][0] == seen[-1][1]
    await shelf.installer.put_in_place(need)
    assert await names(shelf) == ("big", ["big", "small"])
    assert await shelf.answers_as("four")
    async with await shelf.library.open("w", variant="small") as runtime:
        assert await shelf.answers(runtime, "five")
    back = await shelf.library.rollback("w")
    assert [variant.blob for variant in back.current.here] == [
        variant.blob for variant in installed.current.here
    ]
    assert await shelf.repair.damaged(back) == ()
    assert await shelf.platform.store.part_sizes() == {}


async def test_a_further_variant_that_does_not_work_is_left_out_of_an_update(shelf):
    await shelf.installer.install(
        manifest(release(V1, shelf.variant("big", "three"), shelf.variant("small", "one")))
    )
    await shelf.installer.add_variant("w", "small")
    newer = manifest(release(V2, shelf.variant("big", "two"), shelf.variant("small", "nan", "one")))
    await take(shelf, newer)
    assert await names(shelf) == ("big", ["big"])
    assert await shelf.platform.store.part_sizes() == {}
    (_, spoilt) = await shelf.library.variants("w")
    assert "does not work in this" in spoilt.against


async def take(shelf, newer):
    """An update as a device takes it."""
    installed = await shelf.library.find("w")
    able = await unfit.abilities(shelf.platform)
    offer = offers.made(
        newer,
        newer.releases[0],
        shelf.platform,
        abilities=able,
        after=installed.current if installed else None,
    )
    await shelf.platform.store.commit([offer.kept()])
    return await shelf.installer.put_in_place(await shelf.installer.download(offer))


@pytest.mark.parametrize("bad", ["junk", "nan", "renamed"])
async def test_a_variant_that_fails_here_is_left_for_the_next_one_and_not_tried_again(shelf, bad):
    variants = shelf.variant("first", bad, "one"), shelf.variant("second", "one")
    installed = await shelf.installer.install(manifest(release(V1, *variants)))
    assert installed.current.chosen == "second"
    assert "“first” does not work in this" in installed.reason
    assert await shelf.answers_as("one")
    assert await shelf.platform.store.part_sizes() == {}
    await shelf.library.delete("w")
    shelf.fetched.clear()
    await shelf.installer.install(manifest(release(V1, *variants)))
    assert variants[0].blob.sha256 not in shelf.fetched


async def test_an_update_none_of_whose_variants_works_changes_nothing(shelf):
    await shelf.install()
    broken = release(V2, shelf.variant("a", "junk", "one"), shelf.variant("b", "nan", "one"))
    with pytest.raises(satchel.ValidationError, match="not finite"):
        await take(shelf, manifest(broken))
    assert (await shelf.library.installed("w")).active == V1
    assert await shelf.answers_as("one")


async def test_what_failed_is_tried_again_once_the_engine_or_the_browser_is_another(shelf):
    variants = shelf.variant("first", "nan", "one"), shelf.variant("second", "one")
    await shelf.installer.install(manifest(release(V1, *variants)))
    assert (await unfit.abilities(shelf.platform)).unfit
    assert await shelf.library.better("w") is None
    before = shelf.platform.agent
    shelf.platform.agent = f"{before}, but newer"
    assert not (await unfit.abilities(shelf.platform)).unfit
    assert await shelf.library.better("w") == variants[0]


async def test_a_device_that_gained_an_ability_gets_the_better_variant(shelf, pair):
    high, low = pair
    await shelf.installer.install(manifest(release(V1, high, low)))
    assert await shelf.library.better("w") is None
    lifted(shelf.platform)
    assert await shelf.library.better("w") == high
    await shelf.installer.add_variant("w", "high")
    assert await shelf.answers_as("one")
    assert await names(shelf) == ("high", ["high"])  # what it replaces goes
    assert low.blob.sha256 not in await shelf.platform.store.blobs()
    (entry, *_) = await history.read(shelf.platform.store)
    assert (entry.outcome, entry.text) == ("switched", "A better variant has come.")


async def test_a_device_that_lost_an_ability_needs_the_network_once(shelf, pair):
    high, low = pair
    lifted(shelf.platform)
    await shelf.installer.install(manifest(release(V1, high, low)))
    lifted(shelf.platform, up=False)
    words = r"lacks levitation.*Go online once"
    with pytest.raises(satchel.VariantMissingError, match=words) as caught:
        await shelf.library.open("w")
    await shelf.installer.add_variant(caught.value.model, caught.value.variant)
    assert await shelf.answers_as("two")
    assert await names(shelf) == ("low", ["high", "low"])
    (entry, *_) = await history.read(shelf.platform.store)
    assert (entry.outcome, entry.before, entry.after) == ("switched", "1.0.0", "1.0.0")
    assert "lacks levitation" in entry.text
    # The day that it can, it has what it needs.
    lifted(shelf.platform)
    assert await shelf.answers_as("one")
    assert await names(shelf) == ("high", ["high"])


async def test_a_variant_that_cannot_be_loaded_any_more_is_left_for_one_that_is_here(shelf):
    """As after an update of the browser: it was validated, and does not load now."""
    first = shelf.variant("first", "unknown", "one")
    second = shelf.variant("second", "one")
    made = release(V1, first, second)
    await shelf.lay_out(made, "first", others=["second"])
    async with opened("w", platform=shelf.platform) as opening:
        assert opening.variant == second
        assert "“first” does not work in this" in opening.reason
        assert await shelf.answers(opening.runtime, "one")
    assert (await shelf.library.installed("w")).probation is None
    await opening.runtime.close()
    assert await names(shelf) == ("second", ["first", "second"])


async def test_somebody_who_insists_on_a_variant_keeps_it_through_updates(shelf):
    variants = shelf.variant("best", "one"), shelf.variant("mine", "two")
    installed = await shelf.installer.install(manifest(release(V1, *variants)), variant="mine")
    assert (installed.current.chosen, installed.current.insisted) == ("mine", True)
    assert await shelf.library.better("w") is None
    newer = release(V2, shelf.variant("best", "two"), shelf.variant("mine", "one"))
    assert (await take(shelf, manifest(newer))).current.chosen == "mine"
    without = release(V3, shelf.variant("best", "three"))
    assert (await take(shelf, manifest(without))).current.chosen == "best"
    await shelf.library.delete("w")
    broken = release(V1, shelf.variant("mine", "nan", "one"), shelf.variant("best", "one"))
    with pytest.raises(satchel.ValidationError):
        await shelf.installer.install(manifest(broken), variant="mine")


async def test_a_cancelled_variant_goes_on_where_it_stopped_and_leaves_with_its_version(shelf):
    await shelf.installer.install(
        manifest(release(V1, shelf.variant("big", "one"), shelf.variant("other", "three")))
    )

    def stop(received, total):
        if received > total / 2:
            task.cancel()

    task = asyncio.ensure_future(shelf.installer.add_variant("w", "other", stop))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await shelf.platform.store.part_sizes() != {}
    assert await names(shelf) == ("big", ["big"])
    seen = []
    await shelf.installer.add_variant("w", "other", lambda *now: seen.append(now))
    assert seen[-1][1] < 0.6 * shelf.variant("other", "three").blob.size

    await shelf.library.remove_variant("w", "other")
    task = asyncio.ensure_future(shelf.installer.add_variant("w", "other", stop))
    with pytest.raises(asyncio.CancelledError):
        await task
    await shelf.library.delete("w")
    assert await shelf.platform.store.part_sizes() == {}
    assert await shelf.platform.store.blobs() == {}


async def test_a_damaged_further_variant_is_mended(shelf, pair):
    near = shelf.variant("near", "one")
    await shelf.installer.install(manifest(release(V1, pair[1], near)))
    installed = await shelf.installer.add_variant("w", "near")
    await shelf.damage(near.blob)
    assert await shelf.repair.damaged(installed) == (near.blob,)
    assert await shelf.repair.repair("w")
    async with await shelf.library.open("w", variant="near") as runtime:
        assert np.isfinite(await runtime.infer(np.ones((1, 512), np.float32))).all()


# ---- two engines


@pytest.fixture
def fast(shelf):
    """Makes LiteRT's variant of a file."""
    assert "litert" in shelf.platform.engines
    return lambda file, *needs: shelf.variant("fast", f"{file}-lite", engine="litert", needs=needs)


async def engine_in_use(shelf, answers):
    """The engine that answers, and why it is no better one."""
    async with opened("w", platform=shelf.platform) as opening:
        assert await shelf.answers(opening.runtime, answers)
        await opening.runtime.close()
    return opening.runtime.engine, opening.reason


async def test_an_update_leads_from_one_engine_to_another_and_a_rollback_back(shelf, fast):
    await shelf.install()
    assert await engine_in_use(shelf, "one") == ("onnxruntime", "")
    await take(shelf, manifest(release(V2, fast("two"), shelf.variant("plain", "two"))))
    assert await names(shelf) == ("fast", ["fast"])
    assert await engine_in_use(shelf, "two") == ("litert", "")
    await shelf.library.rollback("w")
    assert await engine_in_use(shelf, "one") == ("onnxruntime", "")
    await shelf.library.rollback("w")
    assert await engine_in_use(shelf, "two") == ("litert", "")


async def test_a_device_without_relaxed_simd_takes_the_other_engine_and_updates_along_it(
    shelf, fast
):
    shelf.platform.features = frozenset({"threads"})
    why = (
        f"This {shelf.platform.place} lacks relaxed SIMD, so the model runs in ONNX Runtime instead"
        " of LiteRT."
    )
    plain = shelf.variant("plain", "one")
    await take(shelf, manifest(release(V1, fast("one", "relaxed-simd"), plain)))
    assert await engine_in_use(shelf, "one") == ("onnxruntime", why)
    shelf.fetched.clear()
    newer = fast("two", "relaxed-simd"), shelf.variant("plain", "two")
    await take(shelf, manifest(release(V2, *newer)))
    assert await engine_in_use(shelf, "two") == ("onnxruntime", why)
    assert newer[0].blob.sha256 not in shelf.fetched


async def test_golden_answers_are_asked_of_each_variant_in_its_own_engine(shelf, fast):
    made = release(V1, fast("one"), shelf.variant("plain", "one"))
    await take(shelf, manifest(made))
    await shelf.installer.add_variant("w", "plain")
    for name, engine in (("fast", "litert"), ("plain", "onnxruntime")):
        async with await shelf.library.open("w", variant=name) as runtime:
            assert await shelf.answers(runtime, "one")
            assert runtime.engine == engine
    wrong = release(V2, replace(fast("two"), golden=fast("one").golden))
    with pytest.raises(satchel.ValidationError, match="cosine"):
        await take(shelf, manifest(wrong))


@pytest.fixture
def broken_litert(shelf, monkeypatch):
    """Breaks a device's LiteRT; `place` is where a browser looks for it."""

    def break_it(place):
        monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
        if sys.platform == "emscripten":
            from satchel.platform.browser.litert import LiteRtWeb

            class Misplaced(LiteRtWeb):
                def places(self):
                    return super().places() | {"litert": place}

            shelf.platform.engines = {**shelf.platform.engines, "litert": Misplaced()}

    return break_it


async def test_an_engine_that_does_not_start_here_is_left_and_not_asked_again(
    shelf, fast, broken_litert
):
    await shelf.lay_out(
        release(V1, fast("one"), shelf.variant("plain", "one")), "fast", others=["plain"]
    )
    broken_litert(f"{shelf.served}broken.mjs")
    engine, why = await engine_in_use(shelf, "one")
    assert engine == "onnxruntime"
    assert why.startswith(f"LiteRT can't be started in this {shelf.platform.place} (")
    assert why.endswith("), so the model runs in ONNX Runtime instead of LiteRT.")
    assert await names(shelf) == ("plain", ["fast", "plain"])
    shelf.fetched.clear()
    newer = release(V2, fast("two"), shelf.variant("plain", "two"))
    assert (await take(shelf, manifest(newer))).current.chosen == "plain"
    assert fast("two").blob.sha256 not in shelf.fetched
    back = await shelf.library.rollback("w")
    assert back.current.chosen == "plain"


@pytest.mark.skipif(sys.platform != "emscripten", reason="nothing is fetched of an engine here")
async def test_an_engine_that_did_not_arrive_is_asked_again_on_the_next_visit(
    shelf, fast, broken_litert
):
    await shelf.lay_out(
        release(V1, fast("one"), shelf.variant("plain", "one")), "fast", others=["plain"]
    )
    broken_litert(f"{shelf.served}nothing-here.mjs")
    engine, _ = await engine_in_use(shelf, "one")
    assert engine == "onnxruntime"
    assert (await shelf.library.usable("w")).current.chosen == "plain"
    assert await names(shelf) == ("fast", ["fast", "plain"])
    assert not (await unfit.lasting(shelf.platform)).unfit


async def test_what_did_not_arrive_is_only_held_against_it_until_the_program_ends(shelf, fast):
    error = satchel.EngineUnavailableError("It broke", why="TypeError: Failed to fetch")
    await unfit.remembered(shelf.platform, fast("one"), error)
    assert set((await unfit.abilities(shelf.platform)).unfit) == {"litert"}
    assert not (await unfit.lasting(shelf.platform)).unfit
