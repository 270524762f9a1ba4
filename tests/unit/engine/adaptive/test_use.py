"""How much of the processor the own work is said to take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.adaptive.use import LATE, Use


def worked(seconds, *, busy, gap=0.0, threads=1, use=None, now=0.0):
    """Runs of `busy` seconds with gaps between them, for some time."""
    use, end = use or Use(), now + seconds
    while now < end:
        now += busy
        use = use.spent(busy, now, threads=threads)
        now += gap
    return use, now


@pytest.mark.parametrize(
    ("busy", "gap", "threads"), [(0.03, 0.0, 1), (0.03, 0.03, 2), (0.1, 0.3, 4)]
)
def test_it_comes_to_the_part_of_the_time_times_threads(busy, gap, threads):
    use, _ = worked(60, busy=busy, gap=gap, threads=threads)
    assert use.cores == pytest.approx(threads * busy / (busy + gap), rel=0.25)


def test_it_is_known_before_a_browser_tells_of_pressure_and_until_it_tells_no_more():
    use, now = worked(6, busy=0.03)
    assert use.lately(now) > 0.9
    assert use.lately(now + LATE - 0.1) > 0.9
    assert use.lately(now + LATE + 0.1) < 0.1


def test_a_single_run_says_little():
    assert Use().spent(0.03, 100.0, threads=4).lately(100.0) < 0.1


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 50), st.integers(1, 8)), max_size=50))
def test_it_is_never_more_than_the_threads(runs):
    use, now = Use(), 0.0
    for busy, gap, threads in runs:
        now += gap + busy
        use = use.spent(busy, now, threads=threads)
        assert 0 <= use.cores <= use.lately(now) <= 8
