"""What the page says of the device, in words."""

from __future__ import annotations

from types import SimpleNamespace as Facts

import pytest
import readings
from hypothesis import given
from hypothesis import strategies as st

NAMES = (
    "cpu_cores", "memory_gib", "memory_available", "has_gpu", "battery_powered", "battery_level",
    "charging", "charging_time", "discharging_time", "network_quality", "online", "metered",
    "save_data", "pressure", "visible", "isolated", "storage_free", "storage_free_text",
)  # fmt: skip


def said(**facts):
    """What each row says, by its key."""
    device = Facts(**{**dict.fromkeys(NAMES), **facts})
    return {key: text for key, _, text, _ in readings.rows(device)}


def test_what_nobody_told_is_said_to_be_so():
    device = Facts(**dict.fromkeys(NAMES))
    rows = readings.rows(device)
    assert not any(told for *_, told in rows)
    assert {text for _, _, text, _ in rows} == {"not told by this browser", "not told so far"}
    assert dict.fromkeys(key for key, *_ in rows) == dict.fromkeys(said(cpu_cores=2))


DRAINING = {"battery_powered": True, "battery_level": 0.14, "charging": False}
CHARGING = {"battery_powered": True, "battery_level": 0.5, "charging": True}


@pytest.mark.parametrize(
    ("key", "facts", "text"),
    [
        ("power", {"battery_level": 1.0, "charging": True}, "On mains"),
        ("power", DRAINING, "14 %, not charging"),
        ("power", {**DRAINING, "discharging_time": 80}, "14 %, not charging, 1 minute left"),
        ("power", {**DRAINING, "discharging_time": 8400}, "14 %, not charging, 2 hours left"),
        ("power", {**CHARGING, "charging_time": 2400.0}, "50 %, charging, full in 40 minutes"),
        ("power", {**CHARGING, "charging_time": 0}, "50 %, charging"),
        ("power", {"charging": False}, "Not charging"),
        ("load", {"pressure": "critical"}, "At its limit"),
        ("processor", {"cpu_cores": 1}, "1 core"),
        ("memory", {"memory_gib": 0.5}, "about 0.5 GB"),
        ("memory", {"memory_gib": 4}, "about 4 GB"),
        ("memory", {"memory_gib": 8}, "8 GB or more"),
        ("graphics", {"has_gpu": False}, "None that pages can use"),
        ("network", {"network_quality": "offline", "online": False, "metered": True}, "Offline"),
        ("network", {"network_quality": "slow", "save_data": True}, "Slow, sparing data"),
        ("network", {"online": True, "metered": True}, "Online, may cost money"),
        ("storage", {"storage_free": 10**10, "storage_free_text": "10.0 GB"}, "10.0 GB"),
    ],
)
def test_a_reading_is_said_as_a_person_would(key, facts, text):
    assert said(**facts)[key] == text


SOME = st.one_of(st.none(), st.booleans())


@given(
    st.fixed_dictionaries(
        {
            "cpu_cores": st.none() | st.integers(1, 4096),
            "memory_gib": st.none() | st.floats(2**-10, 2**30),
            "battery_level": st.none() | st.floats(0, 1),
            "charging_time": st.none() | st.floats(0, 10**7),
            "discharging_time": st.none() | st.floats(0, 10**7),
            "battery_powered": SOME, "charging": SOME, "has_gpu": SOME, "online": SOME,
            "metered": SOME, "save_data": SOME,
            "network_quality": st.sampled_from([None, "offline", "slow", "medium", "fast"]),
            "pressure": st.sampled_from([None, "nominal", "fair", "serious", "critical"]),
        }
    )
)  # fmt: skip
def test_every_reading_has_words(facts):
    for text in said(**facts).values():
        assert text
        assert "None," not in text
        assert "nan" not in text
