"""From raw samples to ratios: paired, by round, over kinds of input."""

import numpy as np
import pytest

from satchel_models.measurement import Measurement, Samples, figures, ratios


def samples(mine, base, cpu=(0.05, 0.05)):
    return Samples(tuple((ms,) * 3 for ms in mine), tuple(cpu), tuple((ms,) * 2 for ms in base))


def test_noise_that_hits_both_arms_of_a_round_leaves_the_ratio():
    noise = np.random.default_rng(0).lognormal(0, 0.5, 30)
    found = ratios.paired(list(50 * noise), list(25 * noise))
    assert (found.value, found.low, found.high) == (pytest.approx(2),) * 3


def test_the_interval_holds_the_true_ratio_about_as_often_as_it_says():
    random = np.random.default_rng(1)
    held = 0
    for _ in range(60):
        a, b = random.normal(40, 4, 20), random.normal(20, 2, 20)
        found = ratios.paired(list(a), list(b))
        held += found.low <= 2 <= found.high
    assert held >= 50


def test_a_speedup_is_the_geometric_mean_over_kinds_of_input_at_that_many_threads():
    found = Measurement(
        "int8",
        {
            (1, "16 tokens"): samples([10, 10], [20, 20]),
            (1, "256 tokens"): samples([100, 100], [800, 800]),
            (2, "16 tokens"): samples([10, 10], [10, 10]),
            (2, "256 tokens"): samples([10, 10], [10, 10]),
        },
        (10.0, 10.0),
        (20.0, 25.0),
    )
    assert figures.speedup(found, 1).value == pytest.approx(4)
    assert figures.speedup(found, 2).value == pytest.approx(1)
    assert figures.creation(found).value == pytest.approx(2.25)
    timing = figures.timings(found, None)[1]
    assert (timing.threads, timing.feed) == (1, "256 tokens")
    assert timing.speedup.value == pytest.approx(8)
    assert timing.latency_ms == (100,) * 6


def several(*latencies, base):
    """One candidate's turns at one thread and at two, with float32's."""
    return Measurement(
        "x",
        {(n, "a"): samples(ms, base) for n, ms in enumerate(latencies, 1)},
        (1.0,),
        (1.0,),
    )


def test_one_candidates_time_over_anothers_holds_across_groups():
    # The second group's rounds were twice as slow, for float32 as well.
    one = several([10, 12], [8, 8], base=[20, 24])
    other = several([50, 60], [20, 20], base=[40, 48])
    assert figures.time(one, other, 1).value == pytest.approx(0.4)
    assert figures.time(one, other, 2).value == pytest.approx(0.8)


def test_what_a_second_thread_gains_and_which_numbers_were_measured():
    found = several([40, 44], [20, 22], base=[50, 50])
    assert figures.threads_gain(found) == pytest.approx(2)
    assert figures.threads(found) == (1, 2)


def test_a_smaller_input_is_called_by_its_own_size():
    found = Measurement("x", {(1, "224×224"): samples([1, 1], [2, 2])}, (1.0,), (1.0,))
    assert figures.timings(found, 160)[0].feed == "160×160"


def test_processor_time_is_a_mean_since_its_clock_ticks_coarsely():
    ticks = (0.0, 0.0, 0.01, 0.0)
    found = Measurement("x", {(1, "a"): samples([1] * 4, [1] * 4, ticks)}, (1.0,), (1.0,))
    assert figures.cpu_seconds(found, 1) == pytest.approx(0.0025)


def test_arms_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="one length"):
        ratios.paired([1.0, 2.0], [1.0])
