"""Which candidate is taken, and the sentence that says why."""

import pytest

from satchel_models.measurement import choice
from satchel_models.measurement.choice import Entry
from satchel_models.results import Accuracy, Estimate


def sure(value):
    return Estimate(value, value * 0.97, value * 1.03)


def entry(name, size, speed=1.0, load=1.0, cpu=0.05, loss=0.0, longer=20.0, **more):
    return Entry(
        name,
        "onnxruntime",
        size,
        speed if isinstance(speed, Estimate) else sure(speed),
        load if isinstance(load, Estimate) else sure(load),
        longer,
        cpu,
        Estimate(loss, loss - 0.05, loss + 0.05),
        **more,
    )


FLOAT32 = entry("float32", 18_600_000)


def names(*entries, budget=0.5):
    return [one.name for one in choice.ranked([FLOAT32, *entries], "balanced", budget)]


def why(chosen, *entries, shortfalls=None, budget=0.5):
    return choice.reasons([FLOAT32, *entries], chosen, shortfalls or {}, "balanced", budget)


def test_the_least_bytes_times_latency_come_first():
    half, quarter = entry("half", 9_300_000), entry("quarter", 4_900_000)
    quick = entry("quick", 7_000_000, speed=1.9)
    assert names(half, quarter, quick) == ["quick", "quarter", "half", "float32"]


def test_what_loses_more_than_the_level_allows_is_out():
    poor = entry("poor", 1_000_000, loss=0.51)
    assert names(poor) == ["float32"]
    assert names(poor, budget=1.0) == ["poor", "float32"]
    assert "0.51 points" in why("float32", poor)["poor"]
    assert "0.5 of balanced" in why("float32", poor)["poor"]


def test_what_is_surely_slower_is_out_and_what_may_be_as_fast_is_not():
    surely = entry("surely", 1_000_000, speed=Estimate(0.9, 0.85, 0.99))
    perhaps = entry("perhaps", 1_000_000, speed=Estimate(0.98, 0.95, 1.01))
    assert names(surely) == ["float32"]
    assert names(perhaps) == ["perhaps", "float32"]
    assert "Slower than float32: 0.90 (0.85 … 0.99) times" in why("float32", surely)["surely"]


def test_what_surely_loads_slower_is_out():
    slow = entry("slow", 1_000_000, load=Estimate(0.6, 0.5, 0.7))
    assert names(slow) == ["float32"]
    assert "Slower to load" in why("float32", slow)["slow"]


def test_a_load_that_nobody_notices_may_be_longer():
    longer = entry("longer", 1_000_000, load=Estimate(0.6, 0.5, 0.7), longer=0.7)
    assert names(longer) == ["longer", "float32"]


def test_of_equals_one_that_loads_no_slower_comes_first():
    longer = entry("longer", 4_850_000, load=Estimate(0.97, 0.92, 0.99), longer=0.4)
    prompt = entry("prompt", 4_900_000, load=Estimate(1.2, 1.1, 1.3), loss=0.2)
    assert names(longer, prompt)[:2] == ["prompt", "longer"]
    assert "loads slower" in why("prompt", longer, prompt)["longer"]


def test_a_smaller_input_is_never_the_default():
    ladder = entry("int8@160", 4_900_000, speed=1.7, smaller_input=True)
    assert names(ladder) == ["float32"]
    assert "never the default" in why("float32", ladder)["int8@160"]


def test_of_equals_the_one_that_takes_least_processor_time_comes_first():
    busy = entry("busy", 4_900_000, cpu=0.06)
    calm = entry("calm", 4_950_000, cpu=0.05)
    assert names(busy, calm)[:2] == ["calm", "busy"]
    assert "more processor time" in why("calm", busy, calm)["busy"]


def test_of_equals_the_one_that_loses_least_accuracy_comes_before_that():
    poorer = entry("poorer", 4_850_000, cpu=0.04, loss=0.3)
    better = entry("better", 4_900_000, cpu=0.05, loss=0.1)
    alike = entry("alike", 4_950_000, cpu=0.04, loss=0.14)
    assert names(poorer, better, alike)[:3] == ["alike", "better", "poorer"]
    assert "loses more accuracy" in why("alike", poorer, better, alike)["poorer"]


def test_float32_stays_where_there_is_nothing_better_however_poor_its_own_figures_seem():
    unlucky = entry("float32", 18_600_000, load=Estimate(0.9, 0.8, 0.95), loss=2)
    (only,) = choice.ranked([unlucky], "fast", 0.1)
    assert only is unlucky
    assert choice.reasons([unlucky], "float32", {}, "fast", 0.1)["float32"].startswith("It stays")


def test_every_candidate_gets_a_sentence():
    good, more = entry("good", 4_900_000), entry("more", 9_400_000)
    short = entry("short", 3_000_000)
    found = why("good", good, more, short, shortfalls={"short": "Loses 1 point on reporting."})
    assert found["good"].startswith("Least bytes × latency")
    assert found["more"] == "Within the budget, but its bytes × latency are 92% above good's."
    assert found["short"] == "Loses 1 point on reporting."
    assert found["float32"].startswith("The original")


def accuracy(delta, low, high):
    interval = None if delta is None else (low, high)
    return Accuracy("top1", 0.8, 0.8, delta, interval, "", 1.0, 0.0, None, 250)


@pytest.mark.parametrize(
    ("delta", "low", "high", "short"),
    [
        (-1.2, -2.4, 0.0, False),  # it may be chance
        (-0.8, -1.2, -0.5, False),
        (-0.8, -1.2, -0.51, True),
        (0.4, 0.1, 0.8, False),
        (None, 0, 0, False),
    ],
)
def test_the_reporting_part_objects_only_when_its_whole_interval_does(delta, low, high, short):
    found = choice.shortfall(accuracy(delta, low, high), "balanced", 0.5)
    assert bool(found) == short
    if short:
        assert "0.80 points on the reporting part (0.51 … 1.20)" in found


def test_the_front_holds_what_nothing_beats_in_every_respect():
    small = entry("small", 4_900_000, loss=0.2)
    smaller_but_poor = entry("poor", 2_500_000, loss=11)
    quick = entry("quick", 5_200_000, speed=1.5, cpu=0.03, loss=3)
    beaten = entry("beaten", 5_300_000, speed=0.6, cpu=0.09, loss=2.9)
    found = choice.front([FLOAT32, small, smaller_but_poor, quick, beaten])
    assert found == {"float32", "small", "poor", "quick"}


def test_chance_keeps_nobody_on_the_front():
    same = entry("same", 4_900_000, speed=0.99, cpu=0.0505, loss=0.03)
    assert choice.front([FLOAT32, same]) == {"same"}
