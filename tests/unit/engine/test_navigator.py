"""What becomes of a browser's words about the device."""

from dataclasses import astuple, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.device import DeviceProfile
from satchel.platform.navigator import profile_of

NAN, NEVER = float("nan"), float("inf")

WORDS = (
    "hardwareConcurrency", "deviceMemory", "onLine", "effectiveType", "type", "saveData", "level",
    "charging", "chargingTime", "dischargingTime", "quota", "usage", "visibility", "pressure",
    "gpu", "isolated",
)  # fmt: skip

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just(10**400),
    st.sampled_from(["4g", "slow-2g", "cellular", "wifi", "hidden", "critical"]),
    st.lists(st.integers()), st.dictionaries(st.text(), st.none()),
)  # fmt: skip


def holds(profile: DeviceProfile) -> dict[str, object]:
    """What a profile says, without what it does not."""
    named = {item.name: getattr(profile, item.name) for item in fields(profile)}
    return {name: value for name, value in named.items() if value is not None}


@pytest.mark.parametrize(
    ("said", "held"),
    [
        ({}, {}),
        ({"hardwareConcurrency": 7, "deviceMemory": 0.25}, {"cpu_cores": 7, "memory_gib": 0.25}),
        ({"hardwareConcurrency": 0, "deviceMemory": NAN}, {}),
        ({"onLine": False, "effectiveType": "4g"}, {"online": False, "network_quality": "offline"}),
        ({"onLine": True, "effectiveType": "slow-2g"}, {"online": True, "network_quality": "slow"}),
        ({"effectiveType": "3g"}, {"network_quality": "medium"}),
        ({"effectiveType": "9g"}, {}),
        ({"type": "cellular", "saveData": True}, {"metered": True, "save_data": True}),
        ({"type": "wifi", "saveData": False}, {"metered": False, "save_data": False}),
        ({"type": "bluetooth"}, {}),
        ({"quota": 10_000, "usage": 4_000.0}, {"storage_free": 6_000}),
        ({"quota": 10, "usage": 4_000}, {"storage_free": 0}),
        ({"quota": 10_000}, {}),
        ({"visibility": "hidden"}, {"visible": False}),
        ({"visibility": "prerender"}, {}),
        ({"pressure": "serious", "gpu": False, "isolated": True},
         {"pressure": "serious", "has_gpu": False, "isolated": True}),
    ],
)  # fmt: skip
def test_words_become_a_profile(said, held):
    assert holds(profile_of(said)) == held


def test_a_battery_that_runs_down_is_told_with_its_time():
    said = {"level": 0.15, "charging": False, "chargingTime": NEVER, "dischargingTime": 1200}
    assert holds(profile_of(said)) == {
        "battery_powered": True, "battery_level": 0.15, "charging": False, "discharging_time": 1200,
    }  # fmt: skip


def test_a_device_without_a_battery_is_not_said_to_have_one():
    # https://w3c.github.io/battery/: full and charging, where there is none or nothing is known.
    said = {"level": 1, "charging": True, "chargingTime": 0, "dischargingTime": NEVER}
    profile = profile_of(said)
    assert profile.battery_powered is None
    assert profile.charging


@pytest.mark.parametrize("level", [3.0, -0.1, NAN, "0.5", True])
def test_a_level_that_cannot_be_is_not_said(level):
    assert holds(profile_of({"level": level})) == {}


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(WORDS, ANYTHING)))
def test_whatever_a_browser_says_makes_a_profile_that_can_be_true(said):
    profile = profile_of(said)
    assert DeviceProfile(*astuple(profile)) == profile
    assert profile.storage_free is None or profile.storage_free >= 0
    assert profile.battery_powered in (None, True)
