"""What holds of every decision, whatever the device says."""

import ast
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
import situations
from hypothesis import given
from hypothesis import strategies as st
from situations import PRIORITIES, WELL

import satchel.adaptive
from satchel.adaptive import Latencies, decide
from satchel.adaptive.limits import CPU_TARGETS, DWELL, FLOORS
from satchel.adaptive.selection import figure
from satchel.device import PRESSURES

readings = st.lists(
    st.tuples(st.floats(0, 15), situations.lies, situations.histories), min_size=1, max_size=4
)
"""Seconds since the reading before, the reading, latencies till then."""


def played(readings, priority, options, override=None, before=None):
    """Each decision with its time, and the last state."""
    now, found = 1000.0, []
    for seconds, profile, seen in readings:
        now += seconds
        decision, before = decide(
            profile, priority, options, latencies=seen, queue=3, override=override, before=before,
            now=now,
        )  # fmt: skip
        found.append((now, decision))
    return found, before


def effort(decision, options):
    """Cores in use at most; processor time of one answer."""
    cores = decision.cpu_target or decision.threads
    seconds = [
        option.cpu_seconds
        for option in options
        if (option.variant, option.engine, option.resolution)
        == (decision.variant, decision.engine, decision.resolution)
    ]
    return cores, min(seconds, default=0)


def distinct(options):
    """One of each kind: reports measure one thing once."""
    return list({(one.variant, one.engine, one.resolution): one for one in options}.values())


some_options = st.lists(situations.measured, min_size=2, max_size=5).map(distinct)


@given(
    readings, situations.priorities, st.lists(situations.unsure, max_size=5), situations.overrides,
    situations.queues, st.one_of(st.none(), st.integers(1, 64)), st.floats(),
)  # fmt: skip
def test_no_sensor_raises_whatever_it_says_or_leaves_out(
    readings, priority, options, override, queue, threads, now
):
    _, state = played(readings, priority, options, override)
    _, profile, seen = readings[0]
    decision, _ = decide(
        profile, priority, options, latencies=seen, queue=queue, override=override, before=state,
        now=now, threads=threads,
    )  # fmt: skip
    assert decision.threads >= 1
    assert decision.batch >= 1
    assert 0 <= decision.delay < float("inf")
    assert decision.reason.endswith(".")
    here = {(one.variant, one.engine, one.resolution) for one in options if one.available}
    assert not here or (decision.variant, decision.engine, decision.resolution) in here
    assert here or decision.variant is decision.engine is decision.resolution is None


@given(readings, situations.priorities, some_options, situations.overrides)
def test_a_decision_depends_on_nothing_but_its_arguments(readings, priority, options, override):
    first = played(readings, priority, options, override)
    played(readings[::-1], "energy", options[::-1], "full")
    assert played(readings, priority, options, override) == first


def test_nothing_that_decides_can_ask_anyone():
    """No clock, no chance, no files, no JavaScript: it takes all of it as arguments."""
    allowed = {"__future__", "collections", "dataclasses", "math", "statistics", "typing"}
    for path in Path(satchel.adaptive.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                top = (name or "").split(".")
                pure = top[0] == "satchel" and top[1] in ("adaptive", "device", "footprints")
                assert pure or top[0] in allowed, f"{path.name} imports {name}"


noisy = st.lists(
    st.tuples(st.sampled_from([0.01, 0.5, 3.0, 9.0, 11.0, 31.0]), situations.lies,
              situations.histories),
    min_size=2, max_size=12,
)  # fmt: skip


@given(noisy, situations.priorities, some_options)
def test_work_changes_at_most_once_in_each_dwell_time(readings, priority, options):
    found, _ = played(readings, priority, options)
    changes = [now for (_, old), (now, new) in pairwise(found) if shape(old) != shape(new)]
    assert all(b - a >= DWELL for a, b in pairwise(changes))


@given(noisy, st.floats(0, 1000), situations.priorities)
def test_nothing_changes_by_time_alone_without_being_announced(readings, later, priority):
    found, state = played(readings, priority, [])
    now, (_, profile, seen) = found[-1][0], readings[-1]
    latches = (state.battery, state.serious, state.critical, state.slow)
    held = all(latch.seen == now for latch in latches if latch.on)
    _, after = decide(
        profile, priority, [], latencies=seen, queue=3, before=state, now=now + later
    )  # fmt: skip
    assert after.mode == state.mode or state.changing or not held


def test_a_condition_that_comes_within_the_dwell_time_is_announced():
    low = replace(WELL, battery_level=0.1, charging=False)
    readings = [(0, low, Latencies()), (30, WELL, Latencies()), (1, low, Latencies())]
    _, state = played(readings[:2], "balanced", [])
    assert not state.changing
    _, state = played(readings, "balanced", [])
    assert not state.mode.low_battery
    assert state.changing


def shape(decision):
    return (
        decision.strategy, decision.variant, decision.engine, decision.resolution,
        decision.threads, decision.cpu_target,
    )  # fmt: skip


@given(
    readings, situations.profiles, situations.histories, situations.priorities, some_options,
    situations.overrides, st.floats(0, 100),
)  # fmt: skip
def test_more_pressure_never_raises_effort(
    earlier, profile, seen, priority, options, override, later
):
    found, before = played(earlier, priority, options, override)
    now = found[-1][0] + later
    efforts = [
        effort(
            decide(
                replace(profile, pressure=pressure), priority, options, latencies=seen, queue=9,
                override=override, before=before, now=now,
            )[0],
            options,
        )
        for pressure in PRESSURES
    ]  # fmt: skip
    for calmer, harder in pairwise(efforts):
        assert harder[0] <= calmer[0]
        assert harder[1] <= calmer[1]


@given(readings, situations.priorities, some_options, st.sampled_from(situations.STRATEGIES))
def test_what_a_person_insists_on_wins(readings, priority, options, override):
    for _, decision in played(readings, priority, options, override)[0]:
        assert decision.strategy == override
        assert decision.reason.startswith("You want")
        assert (decision.cpu_target in CPU_TARGETS.values()) == (override == "throttled")


@given(readings, some_options, situations.overrides)
def test_processor_time_is_ordered_by_priority(readings, options, override):
    runs = {name: played(readings, name, options, override)[0] for name in PRIORITIES}
    for energy, balanced, quality in zip(
        runs["energy"], runs["balanced"], runs["quality"], strict=True
    ):
        costs = [effort(one[1], options)[1] for one in (energy, balanced, quality)]
        assert costs == sorted(costs)


@given(situations.profiles, st.lists(situations.measured, min_size=1, max_size=6).map(distinct),
       situations.priorities)  # fmt: skip
def test_an_answer_is_at_most_so_much_less_accurate_than_the_usual_one(profile, options, priority):
    options = [replace(one, available=True, crashed=False, memory=1) for one in options]
    decision, _ = decide(profile, priority, options, latencies=Latencies(), queue=1, now=0)
    accuracy = {(one.variant, one.engine, one.resolution): one.accuracy for one in options}
    got = accuracy[decision.variant, decision.engine, decision.resolution]
    assert got >= options[0].accuracy - FLOORS[priority] - 1e-9


@pytest.mark.parametrize("seed", range(8))
def test_a_gauge_that_wavers_a_hundred_times_a_second_switches_once(seed):
    """A level around the threshold, a plug that sits loosely, a load that flickers: 20 seconds."""
    random, before, strategies = Random(seed), None, []
    for step in range(2000):
        profile = replace(
            WELL,
            battery_level=random.uniform(0.15, 0.25),
            charging=random.random() < 0.3,
            pressure=random.choice(PRESSURES) if seed % 2 else "nominal",
        )
        decision, before = decide(
            profile, "balanced", situations.LABEL, latencies=Latencies(), queue=1, before=before,
            now=step / 100,
        )  # fmt: skip
        strategies.append(decision.strategy)
    changes = sum(a != b for a, b in pairwise(strategies))
    assert changes <= 1
    assert strategies[-1] == ("throttled" if seed % 2 else "lightweight")


@given(situations.unsure)
def test_figures_that_cannot_be_true_are_none(option):
    for value in (option.cpu_seconds, option.latency_ms, option.accuracy):
        clean = figure(value)
        assert clean is None or 0 < clean < float("inf")
