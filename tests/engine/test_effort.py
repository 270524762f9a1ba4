"""AdaptiveInference carried out, on a model small enough to be judged by eye; here and in Pyodide.

The device is one whose state the tests change; clocks, stores, engines and models are real.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import asdict, replace

import numpy as np
import pytest
from shelf import V1

import satchel
from satchel import history
from satchel.effort.options import options_of
from satchel.installer import Installer
from satchel.library import Library
from satchel.manifest import Manifest, Reference, Release, Variant
from satchel.platform import PutRecord
from satchel.platform.sensors import Listeners
from satchel.tasks import Label

WELL = satchel.DeviceProfile(
    cpu_cores=4, battery_powered=True, battery_level=0.8, charging=True, online=True, visible=True,
    isolated=True,
)  # fmt: skip
LOW = replace(WELL, battery_level=0.14, charging=False)
HOT = replace(WELL, charging=False, pressure="critical")

PAUSE = 0.01
"""Seconds between two looks: what is below 4 ms Pyodide makes a mere turn of its loop."""

SIDE = 512
"""Of the matrices in the other models; see fixtures.py."""

FIGURES = {"64": (0.88, 0.050), "48": (0.86, 0.036), "32": (0.80, 0.020)}
"""Accuracy and seconds of each size, as a report would have them."""

RED = np.zeros((90, 90, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
BLUE = RED[..., ::-1].copy()


class Device:
    """A device's sensors, in a test's hands."""

    def __init__(self, state=WELL):
        self.state = state
        self.listeners = Listeners(self.read, lambda: None, lambda: None)
        self.listen = self.listeners.add

    async def read(self):
        return self.state

    async def becomes(self, state, adaptive):
        """Change, and wait until that was heard."""
        self.state = state
        self.listeners.changed()
        async with asyncio.timeout(20):
            while adaptive.profile != state:
                await asyncio.sleep(PAUSE)


@pytest.fixture
def device(platform):
    platform.sensors = Device()
    return platform.sensors


def reference(path):
    data = path.read_bytes()
    return Reference(hashlib.sha256(data).hexdigest(), len(data))


@pytest.fixture
def colours(platform, files, served):
    """Installs the classifier in several sizes, the first of them in use, and opens it."""
    names = {reference(files / name).sha256: name for name in ("colours.onnx", "labels.txt")}
    installer = Installer(Library(platform), platform, lambda item: served + names[item.sha256])
    variants = tuple(
        Variant(
            f"size-{size}",
            "onnxruntime",
            reference(files / "colours.onnx"),
            files={"labels": reference(files / "labels.txt")},
            resolutions=(int(size),),
            accuracy={"top1": accuracy},
            cpu_seconds=seconds,
            latency_ms=1000 * seconds,
        )
        for size, (accuracy, seconds) in FIGURES.items()
    )
    release = Release(V1, "", "CC0-1.0", {"browser": variants})

    async def open_label(here=("48", "32")):
        await installer.install(Manifest("colours", "label", "Colours", (release,)))
        for size in here:
            await installer.add_variant("colours", f"size-{size}")
        return await Label.open("colours", platform=platform)

    open_label.obtain = installer.add_variant
    return open_label


def made_by(result):
    """What answered: strategy, resolution, threads."""
    decision = result.decision
    return decision.strategy, decision.resolution, decision.threads


async def test_a_low_battery_is_answered_to_with_the_next_photo_and_says_why(
    platform, device, colours
):
    label = await colours()
    adaptive = satchel.AdaptiveInference(platform=platform)
    first = await adaptive.run(label, RED)
    assert made_by(first)[:2] == ("full", 64)
    assert first.value[0].label == "red"
    await device.becomes(replace(LOW, battery_level=0.5), adaptive)
    await adaptive.prepare()  # on battery: what a switch would need is loaded
    await device.becomes(LOW, adaptive)
    second = await adaptive.run(label, BLUE)
    assert made_by(second) == ("lightweight", 48, 1)
    assert second.value[0].label == "blue"
    assert second.decision.reason == (
        "Battery at 14 % and not charging: the 48 px model on one thread, 28 % less work per photo."
    )
    energy = await adaptive.run(label, BLUE, priority="energy")
    assert energy.decision.strategy == "lightweight"
    assert [decision.strategy for _, decision in adaptive.history][:2] == ["full", "lightweight"]
    await adaptive.close()
    await label.close()


async def test_switching_while_work_is_under_way_loses_nothing_and_each_answer_says_who_made_it(
    platform, device, colours
):
    label = await colours()
    adaptive = satchel.AdaptiveInference(platform=platform)
    over, answers = asyncio.Event(), []

    async def ask(photo, right):
        while not over.is_set():
            result = await adaptive.run(label, photo)
            assert result.value[0].label == right
            answers.append(result.decision)

    async def answered(**wanted):
        """Until an answer comes of such a decision."""
        begun = len(answers)
        async with asyncio.timeout(60):
            while not any(
                wanted.items() <= asdict(decision).items() for decision in answers[begun:]
            ):
                await asyncio.sleep(PAUSE)

    asking = [asyncio.ensure_future(ask(*one)) for one in ((RED, "red"), (BLUE, "blue")) * 3]
    await answered(strategy="full", resolution=64)
    await device.becomes(LOW, adaptive)
    await answered(resolution=48, threads=1)  # with rests besides, where others slow it down
    adaptive.override = "full"
    await answered(strategy="full", resolution=64)
    adaptive.override = "throttled"
    await answered(strategy="throttled", resolution=48, threads=1)
    adaptive.override = None
    await answered(resolution=48, threads=1)
    over.set()
    await asyncio.gather(*asking)
    assert all(one.variant == f"size-{one.resolution}" for one in answers)
    runs = sum(watch.runs for watch in adaptive.latencies.watches.values())
    assert runs == len(answers)
    await adaptive.close()
    await label.close()


async def test_a_switch_never_waits_what_is_loaded_answers_until_the_other_one_is(
    platform, device, colours
):
    label = await colours()
    adaptive = satchel.AdaptiveInference(platform=platform)
    await adaptive.run(label, RED)
    await device.becomes(LOW, adaptive)
    result = await adaptive.run(label, RED)
    assert (result.decision.strategy, result.decision.resolution) == ("lightweight", 64)
    assert "Until that is loaded, the 64 px model on" in result.decision.reason
    async with asyncio.timeout(60):
        while (result := await adaptive.run(label, RED)).decision.resolution != 48:
            await asyncio.sleep(PAUSE)
    assert "Until" not in result.decision.reason
    await adaptive.close()
    await label.close()


async def test_more_requests_than_may_wait_wait_outside_and_all_are_answered(
    platform, device, colours
):
    label = await colours()
    adaptive = satchel.AdaptiveInference(WELL, platform=platform)
    results = await asyncio.gather(*(adaptive.run(label, BLUE, 1) for _ in range(100)))
    assert {result.value[0].label for result in results} == {"blue"}
    await adaptive.close()
    await label.close()


async def test_a_newer_frame_takes_the_place_of_one_that_waits(platform, device, colours):
    label = await colours()
    adaptive = satchel.AdaptiveInference(WELL, platform=platform)
    await adaptive.run(label, RED)
    frames = [
        asyncio.ensure_future(adaptive.run(label, RED, key="camera", priority="speed"))
        for _ in range(4)
    ]
    photo = asyncio.ensure_future(adaptive.run(label, BLUE))
    outcomes = await asyncio.gather(*frames, photo, return_exceptions=True)
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "Result", "SupersededError", "SupersededError", "Result", "Result"
    ]  # fmt: skip
    await adaptive.close()
    await label.close()


async def test_a_request_that_is_cancelled_makes_way_for_the_next_one(platform, device, colours):
    label = await colours()
    adaptive = satchel.AdaptiveInference(WELL, platform=platform)
    await adaptive.run(label, RED)
    asked = [asyncio.ensure_future(adaptive.run(label, RED)) for _ in range(3)]
    await asyncio.sleep(0)
    for task in asked[:2]:  # one that runs, and one that waits
        task.cancel()
    first, second, third = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(first, asyncio.CancelledError)
    assert isinstance(second, asyncio.CancelledError)
    assert third.value[0].label == "red"
    assert (await adaptive.run(label, BLUE)).value[0].label == "blue"
    await adaptive.close()
    await label.close()


async def test_what_the_person_insists_on_wins_and_calm_comes_back_after_the_dwell_time(
    platform, device, colours
):
    label = await colours()
    device.state = HOT
    adaptive = satchel.AdaptiveInference(platform=platform)
    told = []
    leave = adaptive.listen(told.append)
    assert (await adaptive.run(label, RED)).decision.strategy == "throttled"
    adaptive.override = "full"
    assert adaptive.decision.strategy == "full"
    assert (await adaptive.run(label, RED)).decision.strategy == "full"
    adaptive.override = None
    assert adaptive.decision.strategy == "throttled"
    assert [decision.strategy for decision in told] == ["throttled", "full", "throttled"]
    leave()
    await adaptive.close()
    await label.close()


async def test_lighter_variants_are_got_in_idle_time_but_not_where_that_may_cost_money(
    platform, device, colours
):
    label = await colours(here=())
    adaptive = satchel.AdaptiveInference(platform=platform, obtain=colours.obtain)
    device.state = replace(WELL, metered=True)
    await adaptive.run(label, RED)
    await adaptive.prepare()
    here = (await Library(platform).installed("colours")).current.here
    assert [variant.name for variant in here] == ["size-64"]
    await device.becomes(WELL, adaptive)
    await adaptive.prepare()
    here = (await Library(platform).installed("colours")).current.here
    assert [variant.name for variant in here] == ["size-64", "size-48", "size-32"]
    energy = await adaptive.run(label, RED, priority="energy")
    assert energy.decision.strategy == "lightweight"
    await adaptive.close()
    await label.close()


async def test_threads_and_latencies_are_measured_once_and_kept_for_the_next_visit(
    platform, device, colours
):
    label = await colours()
    adaptive = satchel.AdaptiveInference(platform=platform)
    for _ in range(30):
        await adaptive.run(label, RED)
    await adaptive.prepare()
    found = (await platform.store.record("meta", "effort"))["models"]["colours 1.0.0"]
    assert found["threads"] >= 1
    assert found["usual"]
    await adaptive.close()
    again = satchel.AdaptiveInference(platform=platform)
    await again.run(label, RED)
    assert again.decision.threads == found["threads"]
    work, watch = next(iter(again.latencies.watches.items()))
    assert (work.variant, work.resolution) == ("size-64", 64)
    assert watch.usual_ms > 0
    await again.prepare()
    kept = (await platform.store.record("meta", "effort"))["models"]["colours 1.0.0"]
    assert kept["threads"] == found["threads"]
    await again.close()
    await label.close()


async def test_a_small_device_releases_what_was_used_longest_ago_and_refuses_with_figures(
    platform, colours, files
):
    label = await colours()
    roomy = replace(WELL, memory_available=17_000_000)
    adaptive = satchel.AdaptiveInference(roomy, platform=platform)
    assert (await adaptive.run(label, RED)).value[0].label == "red"
    first, second = (
        satchel.EdgeRuntime((files / f"{name}.weighty").read_bytes(), platform=platform)
        for name in ("one", "two")
    )
    assert first.size == second.size
    x = np.ones((1, SIDE), np.float32)
    await adaptive.infer(first, x)
    y = await adaptive.infer(second, x)
    assert second.loaded
    assert not first.loaded
    assert label.runtime.loaded  # as few as will do
    assert (await adaptive.run(label, BLUE)).value[0].label == "blue"
    again = await adaptive.infer(second, x)
    np.testing.assert_array_equal(again, y)
    tight = satchel.AdaptiveInference(replace(WELL, memory_available=100), platform=platform)
    await first.unload()
    with pytest.raises(satchel.OutOfMemoryError, match=r"takes about .* may take 50 bytes"):
        await tight.infer(first, x)
    await adaptive.close()
    await tight.close()
    for runtime in (first, second, label):
        await runtime.close()


async def test_a_bare_runtime_gets_threads_and_pace_alone(platform, device, files):
    adaptive = satchel.AdaptiveInference(platform=platform)
    async with satchel.EdgeRuntime(
        (files / "fixed.onnx").read_bytes(), platform=platform
    ) as runtime:
        y = await adaptive.infer(runtime, [[-1.0, 2, -3], [4, 5, 6]])
        assert y.tolist() == [[0, 2, 0], [4, 5, 6]]
        decision = adaptive.decision
        assert (decision.strategy, decision.variant, decision.resolution) == ("full", None, None)
        await device.becomes(LOW, adaptive)
        by_name = await adaptive.infer(runtime, {"x": [[-1.0, 2, -3], [4, 5, 6]]})
        assert by_name["y"].tolist() == y.tolist()
        assert adaptive.decision.strategy == "lightweight"
        await adaptive.close()


async def test_after_a_load_that_ended_the_page_the_next_start_takes_a_smaller_one_and_says_so(
    shelf, platform
):
    platform.memory_gib = 2.0
    large, small = shelf.variant("large", "one"), shelf.variant("small", "narrow")
    large, small = replace(large, resolutions=(64,)), replace(small, resolutions=(32,))
    await shelf.lay_out(
        Release(V1, "", "CC0-1.0", {"browser": (large, small)}),
        "large",
        ["small"],
    )
    marked = await left_behind(platform, shelf.library)
    assert list(marked["marks"]) == [large.blob.sha256]
    async with await shelf.library.open("w") as runtime:
        assert runtime.variant == "large"
    assert (await platform.store.record("meta", "unfit"))["marks"] == {}  # it went well
    await platform.store.commit([PutRecord("meta", "unfit", marked)])
    model = await shelf.library.usable("w")
    assert model.current.chosen == "small"
    assert model.reason == (
        "“large” ended this page when it was loaded last time, so its variant “small” is used,"
        " not “large”."
    )
    last, *_ = await history.read(platform.store)
    assert last.outcome == "switched"
    options = options_of(await shelf.library.variants("w"))
    assert [(option.variant, option.crashed, option.available) for option in options] == [
        ("large", True, True), ("small", False, True)
    ]  # fmt: skip


async def left_behind(platform, library):
    """The record as a page leaves it that is ended in the midst of a load."""
    records = []
    store = platform.store

    class Watching:
        async def commit(self, changes):
            await store.commit(changes)
            records.append(await store.record("meta", "unfit"))

        def __getattr__(self, name):
            return getattr(store, name)

    platform.store = Watching()
    async with await library.open("w"):
        pass
    platform.store = store
    return records[0]


class Later:
    """A clock that a test puts forward."""

    def __init__(self, clock):
        self._clock = clock
        self.ahead = 0.0

    def monotonic(self):
        return self._clock.monotonic() + self.ahead

    def __getattr__(self, name):
        return getattr(self._clock, name)


async def test_on_a_small_device_nothing_stays_loaded_for_long_and_it_comes_back_by_itself(
    platform, device, colours
):
    platform.clock = Later(platform.clock)
    device.state = replace(WELL, memory_gib=2)
    label = await colours()
    adaptive = satchel.AdaptiveInference(platform=platform)
    await adaptive.run(label, RED)  # by what is loaded
    async with asyncio.timeout(60):
        while (await adaptive.run(label, RED)).decision.resolution != 48:
            await asyncio.sleep(PAUSE)
    platform.clock.ahead += 1
    await adaptive.prepare()
    assert not label.runtime.loaded
    assert (await adaptive.run(label, BLUE)).decision.resolution == 48
    platform.clock.ahead += 200
    await adaptive.prepare()
    workers = getattr(platform.engines["onnxruntime"], "_workers", {})
    assert all(worker.sessions == 0 for worker in workers.values())
    result = await adaptive.run(label, BLUE)
    assert (result.value[0].label, result.decision.resolution) == ("blue", 48)
    await adaptive.close()
    await label.close()


async def test_a_device_that_says_nothing_or_says_it_a_hundred_times_a_second_does_no_harm(
    platform, device, colours
):
    device.state = satchel.DeviceProfile()
    label = await colours()
    adaptive = satchel.AdaptiveInference(platform=platform)
    assert (await adaptive.run(label, RED)).decision.strategy == "full"
    for k in range(100):
        device.state = replace(LOW, pressure="critical") if k % 2 else WELL
        device.listeners.changed()
        assert (await adaptive.run(label, RED)).value[0].label == "red"
        await asyncio.sleep(PAUSE)
    assert len(adaptive.history) <= 2  # one change in ten seconds
    await adaptive.close()
    await label.close()
