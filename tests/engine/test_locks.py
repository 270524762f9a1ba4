"""Locks: one holder at a time, and nobody who gave up stands in the way."""

import asyncio

import pytest


async def test_one_holder_at_a_time_in_the_order_of_asking(platform):
    order, inside = [], 0

    async def hold(number):
        nonlocal inside
        async with platform.locks.hold("one"):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0.01)
            order.append(number)
            inside -= 1

    await asyncio.gather(*(hold(number) for number in range(4)))
    assert sorted(order) == list(range(4))


async def test_locks_of_other_names_do_not_wait(platform):
    async with platform.locks.hold("one"), asyncio.timeout(5), platform.locks.hold("two"):
        pass


async def test_a_lock_is_given_back_when_its_holder_fails(platform):
    with pytest.raises(RuntimeError, match="on purpose"):
        async with platform.locks.hold("one"):
            raise RuntimeError("on purpose")
    async with asyncio.timeout(5), platform.locks.hold("one"):
        pass


async def test_who_gave_up_waiting_does_not_keep_the_lock(platform):
    async def wait():
        async with platform.locks.hold("one"):
            raise AssertionError("it was given up")

    async with platform.locks.hold("one"):
        waiting = asyncio.ensure_future(wait())
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(5), platform.locks.hold("one"):
        pass


async def test_an_attempt_does_not_wait_and_says_whether_it_has_the_lock(platform):
    async with platform.locks.attempt("one") as first, platform.locks.attempt("one") as second:
        assert (first, second) == (True, False)
    async with platform.locks.attempt("one") as again:
        assert again


async def test_a_shared_lock_is_held_by_many(platform):
    async with asyncio.timeout(5), platform.locks.share("one"), platform.locks.share("one"):
        pass
    async with platform.locks.attempt("one") as free:
        assert free
