"""What the page says of decisions, times and suppositions: words and drawings."""

from __future__ import annotations

from types import SimpleNamespace as Facts

import decisions
import pytest
import suppositions
import times
from hypothesis import given
from hypothesis import strategies as st

from satchel.adaptive import Latencies, Option, decide
from satchel.device import PRESSURES, DeviceProfile

OPTIONS = (
    Option("int8", "litert", 224, 5_300_000, None, 0.0486, 48.6, 0.88),
    Option("int8@192", "litert", 192, 5_300_000, None, 0.0363, 36.3, 0.864),
)


def decided(queue=1, **device):
    """A real decision, for a device like this."""
    return decide(
        DeviceProfile(**device), "balanced", OPTIONS, latencies=Latencies(), queue=queue, now=0.0
    )[0]


LOW = {"battery_level": 0.14, "charging": False}


def test_an_answer_says_in_a_few_words_which_decision_made_it():
    assert decisions.made(decided(**LOW)) == "Going easy · 192 px · one thread"
    assert decisions.made(decided(cpu_cores=8)) == "Full effort · 224 px · 4 threads"
    bare = Facts(strategy="throttled", resolution=None, threads=1)
    assert decisions.made(bare) == "Taking rests · one thread"
    assert decisions.made(None) == ""


def test_a_decision_says_what_it_comes_down_to():
    told = dict(decisions.facts(decided(20, pressure="critical"), "photo"))
    assert told == {
        "Model": "int8",
        "Engine": "LiteRT",
        "Sees each photo at": "224 px",
        "Works on": "one thread",
        "Rests": "1.5 s after every 8 photos",
    }
    alone = dict(decisions.facts(decided(pressure="serious"), "photo"))
    assert alone["Rests"] == "68 ms after each photo"
    assert dict(decisions.facts(decided(), "photo"))["Rests"] == "none"


def test_what_nobody_knows_of_a_decision_is_left_out():
    bare = Facts(variant=None, engine=None, resolution=None, threads=2, delay=0.0, batch=1)
    assert decisions.facts(bare, "run") == [("Works on", "2 threads"), ("Rests", "none")]


def test_the_chip_is_about_the_strategy_only_while_something_is_held_back():
    assert [decisions.chip(name) for name in ("full", "lightweight", "throttled")] == [
        "", "Going easy", "Taking rests",
    ]  # fmt: skip


def test_times_are_told_apart_by_what_was_alike_in_the_work():
    assert decisions.kind(decided(cpu_cores=2)) == "224 px, 2 threads"
    bare = Facts(resolution=None, variant="int8", threads=1)
    assert decisions.kind(bare) == "int8, one thread"
    assert decisions.kind(Facts(resolution=None, variant=None, threads=1)) == "one thread"
    assert decisions.kind(None) == "All answers"


def entries(*groups):
    kept = times.Times()
    for kind, values in groups:
        for value in values:
            kept.add(float(value), kind)
    return kept


def test_only_the_last_times_are_kept():
    kept = entries(("a", range(1000)))
    assert (len(kept.all), kept.all[-1]) == (200, (999.0, "a"))
    assert kept.last(2) == [(998.0, "a"), (999.0, "a")]


def test_the_line_begins_at_the_left_and_ends_at_the_right_with_room_above_the_slowest():
    assert times.points([0.0, 10.0, 5.0], 100, 11) == "0.0,11.0 50.0,1.0 100.0,6.0"


def test_the_line_is_marked_between_answers_of_different_kinds():
    assert times.changes(["a", "a", "b", "b", "a"], 100) == [37.5, 87.5]
    assert times.changes(["a", "a"], 100) == []


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=200))
def test_every_answer_is_in_one_bar_of_the_histogram(values):
    found = times.bars(values)
    assert sum(count for *_, count in found) == len(values)
    assert found[0][0] == min(values)
    assert all(low <= high for low, high, _ in found)


def test_one_pause_does_not_make_all_other_answers_look_alike():
    found = times.bars([20 + i % 10 for i in range(99)] + [9000])
    assert found[-1][1] < 40
    assert sum(1 for *_, count in found if count) > 5


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], "Nothing yet. The time of each photo will be drawn here."),
        ([28.0], "1 photo so far: 28 ms."),
        ([28.0, 30.0], "2 photos so far: 30 ms."),
        (
            [20.0] * 9 + [25.0, 1500.0],
            "The last 11 photos: usually 20 ms, nine in ten within 25 ms.",
        ),
    ],
)
def test_times_are_said_in_a_sentence(values, text):
    assert times.said(values, "photo") == text


def test_the_table_has_the_latest_kind_of_work_first():
    kept = entries(("224 px", [50] * 4), ("192 px", [30] * 2))
    assert times.rows(kept.all) == [
        ("192 px", 2, "30 ms", "30 ms"),
        ("224 px", 4, "50 ms", "50 ms"),
    ]


def test_sliders_stand_for_what_the_engine_can_read():
    for pressure, memory in ((0, 0), (1, 2), (2, 4), (3, 5)):
        supposed = suppositions.values("14", False, str(pressure), str(memory), "energy")
        del supposed["priority"]
        profile = DeviceProfile(**supposed)
        assert profile.battery_level == 0.14
        assert profile.pressure == PRESSURES[pressure]
        assert profile.memory_gib == supposed["memory_gib"]
        assert suppositions.pressure_place(profile) == pressure
        assert suppositions.memory_place(profile) == memory


def test_sliders_say_what_they_stand_for():
    supposed = suppositions.values("7", True, "3", "0", "balanced")
    assert suppositions.texts(supposed) == ("7 %", "at its limit", "0.25 GB")
    most = suppositions.values("100", True, "0", "5", "balanced")
    assert suppositions.texts(most) == ("100 %", "calm", "8 GB or more")


@pytest.mark.parametrize(("gib", "place"), [(0.1, 0), (0.25, 0), (1.5, 2), (3, 3), (16, 5)])
def test_the_memory_slider_never_stands_for_more_than_there_is(gib, place):
    assert suppositions.memory_place(DeviceProfile(memory_gib=gib)) == place


def test_sliders_of_a_device_that_says_nothing_stand_where_nothing_is_wrong():
    for device in (None, DeviceProfile()):
        assert suppositions.pressure_place(device) == 0
        assert suppositions.MEMORY[suppositions.memory_place(device)] == 8
