"""Whose turn it is, on a loop whose time is made up: hours pass at once, and nothing waits."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

import satchel
from satchel.adaptive.limits import BESIDE
from satchel.effort.line import PAUSE, Line


class Timeless(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to whatever comes next."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        really = self._selector.select

        def select(timeout=None):
            if timeout:
                self.now += timeout
            return really(0)

        self._selector.select = select

    def time(self):
        return self.now


def timeless(work):
    """Run a coroutine function that takes the loop."""
    loop = Timeless()
    try:
        return loop.run_until_complete(work(loop))
    finally:
        loop.close()


async def run(line, loop, seconds, done, name=None, **how):
    """One request that takes so long."""
    await line.enter(**how)
    began = loop.time()
    loop.now += seconds
    done.append((name, began, loop.time()))
    line.leave(seconds, loop.time())


def test_one_runs_at_a_time_in_the_order_in_which_they_came():
    async def work(loop):
        line, done = Line(loop.time, capacity=4), []
        await asyncio.gather(*(run(line, loop, 0.1, done, k) for k in range(30)))
        assert [name for name, *_ in done] == list(range(30))
        assert all(before[2] <= after[1] for before, after in itertools.pairwise(done))
        assert line.free

    timeless(work)


@given(
    st.lists(st.floats(0.001, 0.5), min_size=20, max_size=60),
    st.sampled_from([0.25, 0.5]),
    st.integers(1, 8),
)
def test_with_a_target_that_share_of_the_time_is_kept_and_nothing_is_lost(took, target, batch):
    async def work(loop):
        line, done = Line(loop.time), []
        line.paced(batch, target)
        await asyncio.gather(*(run(line, loop, seconds, done, k) for k, seconds in enumerate(took)))
        assert len(done) == len(took)
        *_, last = done
        used, passed = BESIDE * sum(took[:-1]), last[1]
        owed = batch * BESIDE * max(took)
        assert used <= target * passed + owed
        assert used >= target * passed - owed

    timeless(work)


def test_a_batch_runs_without_a_rest_and_rests_afterwards():
    async def work(loop):
        line, done = Line(loop.time), []
        line.paced(4, 0.25)
        await asyncio.gather(*(run(line, loop, 0.1, done) for _ in range(8)))
        starts = [round(began, 3) for _, began, _ in done]
        gaps = [round(b - a, 1) for a, b in itertools.pairwise(starts)]
        assert [gap > 0.15 for gap in gaps] == [False, False, False, True, False, False, False]

    timeless(work)


def test_the_first_of_a_batch_and_who_comes_after_a_pause_follow_a_rest():
    async def work(loop):
        line, rested = Line(loop.time), []

        async def one():
            await line.enter()
            rested.append(line.rested)
            loop.now += 0.1
            line.leave(0.1, loop.time())

        for _ in range(3):
            await one()
        await asyncio.sleep(PAUSE)
        await one()
        assert rested == [False, False, False, True]
        line.paced(2, 0.25)
        rested.clear()
        await asyncio.gather(*(one() for _ in range(7)))
        assert rested[1:] == [False, True, False, True, False, True]

    timeless(work)


def test_a_deadline_ends_a_rest():
    async def work(loop):
        line, done = Line(loop.time), []
        line.paced(1, 0.25)
        await run(line, loop, 10.0, done)
        await run(line, loop, 0.1, done, within=2.0)
        assert done[1][1] == pytest.approx(12.0)
        await run(line, loop, 0.1, done)
        assert done[2][1] > 39

    timeless(work)


def test_when_rests_are_over_what_waits_runs_at_once():
    async def work(loop):
        line, done = Line(loop.time), []
        line.paced(1, 0.25)
        await run(line, loop, 10.0, done)
        later = asyncio.ensure_future(run(line, loop, 0.1, done))
        await asyncio.sleep(1)
        line.paced(1, None)
        await later
        assert done[1][1] == pytest.approx(11.0)

    timeless(work)


def test_a_newer_request_with_the_same_key_takes_the_place_of_one_that_waits():
    async def work(loop):
        line, done = Line(loop.time), []
        line.paced(1, 0.25)
        await run(line, loop, 1.0, done)
        frames = [
            asyncio.ensure_future(run(line, loop, 0.1, done, name, key="camera")) for name in "abc"
        ]
        outcomes = await asyncio.gather(*frames, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [
            satchel.SupersededError, satchel.SupersededError, type(None)
        ]  # fmt: skip
        assert [name for name, *_ in done] == [None, "c"]

    timeless(work)


@given(
    st.lists(st.sampled_from([0, 0.1]), min_size=8, max_size=8),
    st.dictionaries(st.integers(0, 7), st.sampled_from([0, 0.05])),
)
def test_whoever_is_cancelled_at_any_time_all_others_get_their_turn(takes, cancelled):
    async def work(loop):
        line, done = Line(loop.time, capacity=2), []

        async def holding(name):
            await line.enter()
            try:
                await asyncio.sleep(takes[name])
                done.append(name)
            finally:
                line.leave(0.1, loop.time())

        tasks = [asyncio.ensure_future(holding(k)) for k in range(8)]
        for name, after in cancelled.items():
            await asyncio.sleep(after)
            tasks[name].cancel()
        await asyncio.wait(tasks, timeout=100)
        assert set(done) >= set(range(8)) - cancelled.keys()
        assert line.free
        assert line.waiting == 0

    timeless(work)
