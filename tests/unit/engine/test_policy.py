"""When an update is fetched that nobody asked for."""

import pytest

from satchel.policy import IDLE, Conditions, Moment, when

QUIET = {"online": True, "rested": IDLE}


@pytest.mark.parametrize(
    ("conditions", "optional", "mandatory"),
    [
        ({}, Moment.WAIT, Moment.NOW),
        (QUIET, Moment.NOW, Moment.NOW),
        (QUIET | {"rested": IDLE - 1}, Moment.WAIT, Moment.NOW),
        (QUIET | {"online": False}, Moment.WAIT, Moment.WAIT),
        (QUIET | {"metered": True}, Moment.WAIT, Moment.ASK),
        (QUIET | {"save_data": True}, Moment.WAIT, Moment.ASK),
        (QUIET | {"battery_level": 0.1, "charging": False}, Moment.WAIT, Moment.NOW),
        (QUIET | {"battery_level": 0.1, "charging": True}, Moment.NOW, Moment.NOW),
        (QUIET | {"battery_level": 0.9}, Moment.NOW, Moment.NOW),
        (QUIET | {"visible": False}, Moment.WAIT, Moment.NOW),
    ],
)
def test_the_moment(conditions, optional, mandatory):
    state = Conditions(**conditions)
    assert when(state, mandatory=False).moment is optional
    assert when(state, mandatory=True).moment is mandatory
    for decision in (when(state, mandatory=False), when(state, mandatory=True)):
        assert (decision.moment is Moment.NOW) == (decision.reason == "")


def test_a_yes_to_costs_is_asked_for_once():
    costly = Conditions(**QUIET, metered=True)
    assert when(costly, mandatory=True, agreed=True).moment is Moment.NOW


def test_a_pinned_model_waits_whatever_its_maker_wants():
    decision = when(Conditions(**QUIET), mandatory=True, pinned="1.0.0")
    assert decision.moment is Moment.WAIT
    assert "1.0.0" in decision.reason
