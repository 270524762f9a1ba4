"""Working within a share of one processor core."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.adaptive.limits import BATCH_MOST, WINDOW
from satchel.adaptive.pace import Budget, batch_within, rest

targets = st.floats(0.05, 1.0)


@given(st.floats(1e-3, 10), targets, st.integers(1, 4))
def test_a_rest_makes_the_share(busy, target, threads):
    share = busy * threads / (busy + rest(busy, target, cores=threads))
    assert share == pytest.approx(target)


@given(st.integers(-5, 1000), st.floats(0, 100), targets)
def test_a_batch_and_its_rest_fit_into_the_window(queue, each, target):
    batch = batch_within(queue, each, target)
    assert 1 <= batch <= max(1, min(queue, BATCH_MOST))
    assert batch == 1 or batch * each / target <= WINDOW


@pytest.mark.parametrize("target", [0.25, 0.5])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_budget_keeps_the_share_whatever_timers_and_answers_take(target, threads):
    """Answers that vary by half, timers that oversleep, a queue that is empty now and then."""
    random = Random(7)
    budget, now, used = Budget(target), 0.0, 0.0
    while now < 300:
        now += budget.wait(now) + random.random() * 0.02
        busy = 0.05 * random.uniform(0.5, 1.5)
        now, used = now + busy, used + busy * threads
        budget = budget.spent(busy, now, cores=threads)
    assert used / now == pytest.approx(target, rel=0.15)


def test_an_oversleeping_timer_is_made_good_where_a_burst_is_allowed():
    budget, now, used = Budget(0.5, burst=0.1), 0.0, 0.0
    for _ in range(2000):
        now += budget.wait(now)
        now += 0.03 if budget.wait(now) == 0 else 0.0
        now, used = now + 0.05, used + 0.05
        budget = budget.spent(0.05, now)
    assert used / now == pytest.approx(0.5, rel=0.02)


def test_a_quiet_hour_is_no_licence_to_run_hot():
    budget = Budget(0.25, burst=0.5).filled(3600.0)
    assert budget.tokens == 0.5
    assert budget.wait(3600.0) == 0
    assert budget.spent(1.0, 3601.0).wait(3601.0) == pytest.approx((1.0 - 0.25 - 0.5) / 0.25)


def test_what_is_owed_stays_owed_when_the_target_changes():
    owed = Budget(0.5, at=0.0).spent(1.0, 1.0)
    assert owed.tokens == pytest.approx(-0.5)
    changed = owed.aimed(0.25, 1.5)
    assert changed.tokens == pytest.approx(-0.25)
    assert changed.wait(1.5) == pytest.approx(1.0)


@given(st.lists(st.tuples(st.floats(-10, 1e6), st.floats(0, 100)), max_size=20), targets)
def test_a_clock_that_jumps_owes_no_more_than_was_used(steps, target):
    budget, used = Budget(target), 0.0
    for now, busy in steps:
        budget, used = budget.spent(busy, now), used + busy
        assert budget.wait(now) >= 0
        assert budget.tokens >= -used - 1e-6
