"""What the device says, here and in Pyodide; and how those hear of it who follow it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

import satchel
from satchel.platform.sensors import EVERY, Listeners

BATTERY = [satchel.DeviceProfile(battery_level=percent / 100) for percent in range(100)]


class Device:
    """A device whose state tests change."""

    def __init__(self) -> None:
        self.state = BATTERY[0]
        self.awake = False
        self.reads = 0
        self.listeners = Listeners(self.read, lambda: self.wake(True), lambda: self.wake(False))

    def wake(self, awake: bool) -> None:
        self.awake = awake

    async def read(self) -> satchel.DeviceProfile:
        self.reads += 1
        return self.state

    def change(self, state: satchel.DeviceProfile) -> None:
        self.state = state
        self.listeners.changed()


@pytest.fixture
def device():
    return Device()


async def turns() -> None:
    """Let everything happen that is only waiting for its turn: no time passes."""
    for _ in range(9):
        await asyncio.sleep(0)


async def heard(told: list[object], count: int) -> None:
    """Wait until so many things were told."""
    async with asyncio.timeout(20):
        while len(told) < count:
            await asyncio.sleep(0.001)


async def test_the_device_says_what_it_can(platform):
    profile = await platform.sensors.read()
    assert profile.cpu_cores >= 1
    assert profile.online is not None
    assert profile.storage_free > 0
    assert profile.charging in (None, True, False)


async def test_a_profile_can_be_read_without_a_platform():
    assert (await satchel.DeviceProfile.read()).cpu_cores >= 1


async def test_who_follows_the_device_hears_its_present_state_at_once(platform):
    told = []
    leave = platform.sensors.listen(told.append)
    await heard(told, 1)
    leave()
    steady = {"memory_available": None, "storage_free": None, "pressure": None}
    now = await platform.sensors.read()
    assert replace(told[0], **steady) == replace(now, **steady)


async def test_a_sensor_that_changes_100_times_a_second_is_told_a_few_times_and_its_end_counts(
    device,
):
    told = []
    leave = device.listeners.add(told.append)
    await heard(told, 1)
    clock = asyncio.get_running_loop().time
    began = clock()
    for state in BATTERY:
        device.change(state)
        await asyncio.sleep(0.01)
    while told[-1] != BATTERY[-1]:
        await asyncio.sleep(0.001)
    assert len(told) <= 2 + (clock() - began) / EVERY
    leave()


async def test_a_change_after_some_quiet_is_told_without_delay(device):
    told = []
    leave = device.listeners.add(told.append)
    await heard(told, 1)
    await asyncio.sleep(1.1 * EVERY)
    device.change(BATTERY[1])
    await turns()
    assert told == BATTERY[:2]
    leave()


async def test_what_is_as_before_is_not_told_again(device):
    told = []
    leave = device.listeners.add(told.append)
    await heard(told, 1)
    device.change(BATTERY[0])
    while device.reads < 2:
        await asyncio.sleep(0.001)
    device.change(BATTERY[1])
    await heard(told, 2)
    assert told == BATTERY[:2]
    leave()


async def test_a_slow_listener_is_called_again_only_when_it_is_done_and_hears_the_newest(device):
    told, done = [], asyncio.Event()

    async def listener(profile):
        told.append(profile)
        await done.wait()

    leave = device.listeners.add(listener)
    await heard(told, 1)
    for state in BATTERY[1:9]:
        device.change(state)
        await asyncio.sleep(EVERY / 8)
    assert len(told) == 1
    done.set()
    await heard(told, 2)
    assert told[1] == BATTERY[8]
    leave()


async def test_a_listener_that_fails_is_reported_and_goes_on_hearing(device):
    told, reported = [], []

    def listener(profile):
        told.append(profile)
        raise ValueError("a mistake of its own")

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(str(context["exception"])))
    try:
        leave = device.listeners.add(listener)
        await heard(told, 1)
        device.change(BATTERY[1])
        await heard(told, 2)
        leave()
    finally:
        loop.set_exception_handler(None)
    assert reported == ["a mistake of its own"] * 2


async def test_sensors_work_only_while_somebody_listens(device):
    first, second = device.listeners.add(print), device.listeners.add(print)
    assert device.awake
    first()
    first()  # once more does no harm
    assert device.awake
    second()
    assert not device.awake
    told = []
    leave = device.listeners.add(told.append)
    await heard(told, 1)
    assert device.awake
    leave()
    device.change(BATTERY[1])
    await turns()
    assert told == BATTERY[:1]
