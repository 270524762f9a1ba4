"""A device decides for itself whether it is among the first."""

import pytest

from satchel.rollout import included

DEVICES = [f"device {number}" for number in range(2000)]


@pytest.mark.parametrize("percent", [0, 1, 10, 50, 99, 100])
def test_so_many_devices_are_in_as_the_percentage_says(percent):
    share = sum(included(device, "m", "1.1.0", percent) for device in DEVICES) / len(DEVICES)
    assert abs(share - percent / 100) < 0.04
    if percent in (0, 100):
        assert share == percent / 100


def test_who_is_in_stays_in_when_it_is_widened():
    for device in DEVICES[:200]:
        states = [included(device, "m", "1.1.0", percent) for percent in range(0, 101, 5)]
        assert states == sorted(states)


def test_the_first_ones_are_others_for_another_version_or_model():
    early = {device for device in DEVICES if included(device, "m", "1.1.0", 10)}
    for model, version in (("m", "1.2.0"), ("other", "1.1.0")):
        others = {device for device in DEVICES if included(device, model, version, 10)}
        assert len(early & others) < len(early) / 2
