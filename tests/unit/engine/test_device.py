"""What a profile holds of what platforms say."""

import re
from dataclasses import astuple, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.device import NETWORKS, PRESSURES, DeviceProfile

DOCS = Path(__file__).resolve().parents[3] / "docs/device.md"

NAMES = [item.name for item in fields(DeviceProfile)]

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(),
    st.sampled_from([*NETWORKS, *PRESSURES]), st.lists(st.integers()),
)  # fmt: skip


def test_a_profile_of_nothing_says_nothing():
    assert set(astuple(DeviceProfile())) == {None}


@pytest.mark.parametrize(
    ("name", "said", "held"),
    [
        ("cpu_cores", 7, 7),
        ("cpu_cores", 8.0, 8),
        ("cpu_cores", -1, None),
        ("cpu_cores", 0, None),
        ("cpu_cores", 2.5, None),
        ("cpu_cores", True, None),
        ("battery_level", 0, 0),
        ("battery_level", 1.0, 1.0),
        ("battery_level", 3.0, None),
        ("battery_level", float("nan"), None),
        ("battery_level", "0.5", None),
        ("memory_gib", 0.25, 0.25),
        ("memory_gib", float("inf"), None),
        ("memory_available", 2**70, None),
        ("storage_free", 0, 0),
        ("discharging_time", 1200.5, 1200.5),
        ("discharging_time", -2.0, None),
        ("charging_time", float("inf"), None),
        ("storage_free", 10**400, None),
        ("charging", 1, None),
        ("charging", False, False),
        ("pressure", "critical", "critical"),
        ("pressure", "hot", None),
        ("network_quality", "4g", None),
    ],
)
def test_nonsense_is_not_said(name, said, held):
    value = getattr(DeviceProfile(**{name: said}), name)
    assert value == held
    assert type(value) is type(held)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, ANYTHING)))
def test_whatever_is_said_makes_a_profile_that_can_be_true(said):
    profile = DeviceProfile(**said)
    assert profile.cpu_cores is None or profile.cpu_cores >= 1
    assert profile.battery_level is None or 0 <= profile.battery_level <= 1
    assert profile.pressure in (None, *PRESSURES)
    assert profile.network_quality in (None, *NETWORKS)
    assert profile.charging in (None, True, False)
    again = DeviceProfile(*astuple(profile))
    assert again == profile


def test_the_docs_say_of_every_value_what_it_holds():
    rows = [line for line in DOCS.read_text("utf-8").splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert documented == set(NAMES)
