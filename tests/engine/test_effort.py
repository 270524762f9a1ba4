"""AdaptiveInference carried out, on a model small enough to be judged by eye; here and in Pyodide.

The device is one whose state the tests change; clocks, stores, engines and models are real.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace

import numpy as np
import pytest

import satchel
from satchel.installer import Installer
from satchel.library import Library
from satchel.manifest import Manifest, Reference, Release, Variant
from satchel.platform.sensors import Listeners
from satchel.tasks import Label
from satchel.versions import Version

WELL = satchel.DeviceProfile(
    cpu_cores=4, battery_powered=True, battery_level=0.8, charging=True, online=True, visible=True,
    isolated=True,
)  # fmt: skip
LOW = replace(WELL, battery_level=0.14, charging=False)
HOT = replace(WELL, pressure="critical")

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
                await asyncio.sleep(0.001)


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
    release = Release(Version.parse("1.0.0"), "", "CC0-1.0", {"browser": variants})

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
