"""Which candidate is taken, and the sentence that says why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel_models.measurement import choice, needs, reasons
from satchel_models.measurement.choice import Entry
from satchel_models.results import Accuracy, Estimate

ENGINES = {"onnxruntime": 3_400_000, "litert": 2_400_000}


def sure(value):
    return Estimate(value, value * 0.97, value * 1.03)


def entry(
    name,
    size,
    speed=1.0,
    load=1.0,
    cpu=0.05,
    loss=0.0,
    longer=20.0,
    engine="onnxruntime",
    **more,
):
    return Entry(
        name,
        engine,
        size,
        speed if isinstance(speed, Estimate) else sure(speed),
        load if isinstance(load, Estimate) else sure(load),
        longer,
        cpu,
        Estimate(loss, loss - 0.05, loss + 0.05),
        engine_bytes=ENGINES[engine],
        **more,
    )


FLOAT32 = entry("float32", 18_600_000)


def names(*entries, budget=0.5):
    found = choice.ranked([FLOAT32, *entries], "float32", "balanced", budget)
    return [one.name for one in found]


def decided(*entries, shortfalls=None, budget=0.5, first=FLOAT32):
    """What is chosen for each engine, and over all."""
    every = [first, *entries]
    chosen = {}
    for engine, of in choice.by_engine(every).items():
        best = choice.ranked(of, first.name, "balanced", budget)
        kept = [one for one in best if one.name not in (shortfalls or {})]
        if kept:
            chosen[engine] = kept[0].name
    winner = choice.across([one for one in every if one.name in chosen.values()])[0]
    return reasons.Decision(every, chosen, winner.name, shortfalls or {}, "balanced", budget)


def why(chosen, *entries, **more):
    made = decided(*entries, **more)
    assert made.winner == chosen
    return reasons.candidates(made)


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
    (only,) = choice.ranked([unlucky], "float32", "fast", 0.1)
    assert only is unlucky
    assert reasons.candidates(decided(first=unlucky))["float32"].startswith("It stays")


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


INT8 = entry("int8-weights", 4_900_000)
LITE = entry("litert-float32", 18_600_000, speed=1.6, engine="litert")
QUICK = entry("litert-int8-static", 5_350_000, speed=2.5, loss=0.4, engine="litert")


def test_each_engine_has_a_choice_of_its_own_and_one_of_them_wins():
    made = decided(INT8, LITE, QUICK)
    assert made.chosen == {"onnxruntime": "int8-weights", "litert": "litert-int8-static"}
    assert made.winner == "litert-int8-static"


def test_static_int8_beyond_the_budget_gives_way_to_the_engines_next_best():
    made = decided(INT8, LITE, entry("poor", 5_350_000, speed=2.5, loss=0.6, engine="litert"))
    assert made.chosen["litert"] == "litert-float32"
    assert made.winner == "int8-weights"


def test_an_engine_of_which_nothing_may_be_taken_has_no_choice_and_says_so():
    slow = entry("litert-slow", 4_000_000, speed=0.7, engine="litert")
    made = decided(INT8, slow)
    assert made.chosen == {"onnxruntime": "int8-weights"}
    assert reasons.engines(made, {})["litert"] == "None of LiteRT's candidates may be taken."
    assert reasons.candidates(made)["litert-slow"].startswith("Slower than float32: 0.70")


def test_an_engines_own_download_decides_between_engines_and_not_within_one():
    # Of 100 kB more or less nobody takes notice beside an engine's megabytes; within an engine,
    # which is paid for anyway, they are half of what there is to choose.
    small, smaller = entry("small", 200_000), entry("smaller", 100_000, loss=0.3)
    assert names(small, smaller)[:2] == ["smaller", "small"]
    lite = entry("lite", 300_000, engine="litert")
    assert decided(smaller, lite).winner == "lite"


def test_every_candidate_and_engine_gets_a_sentence_that_counts_engines():
    made = decided(INT8, LITE, QUICK)
    found = reasons.candidates(made)
    assert found["litert-int8-static"].endswith(
        "The winner over all engines, their downloads counted."
    )
    assert "of ONNX Runtime's that lose at most 0.5 points" in found["int8-weights"]
    assert (
        "bytes × latency, engines included, are 168% above litert-int8-static's"
        in (found["int8-weights"])
    )
    assert "above litert-int8-static's" in found["litert-float32"]
    engines = reasons.engines(made, {"onnxruntime": Estimate(0.41, 0.39, 0.43)})
    assert engines["onnxruntime"] == (
        "litert-int8-static on LiteRT answers in 0.41 (0.39 … 0.43) times the time of "
        "int8-weights, and comes with 7.75 MB instead of 8.30 MB, engines included."
    )
    assert "was chosen over ONNX Runtime" in engines["litert"]


def test_what_looks_at_less_keeps_nobody_off_the_front():
    # Smaller inputs may make a model surer of itself, and so its loss of probability less.
    surer = entry("int8@192", 4_900_000, speed=1.4, cpu=0.03, loss=-6.0, smaller_input=True)
    assert choice.front([FLOAT32, INT8, surer]) == {"int8-weights", "int8@192"}


def test_the_front_counts_the_engine_among_the_bytes():
    # The file is larger by less than its engine is smaller.
    same = entry("litert-same", 5_500_000, engine="litert")
    assert choice.front([INT8, same]) == {"litert-same"}


@pytest.mark.parametrize(
    ("without", "gain", "needed"),
    [
        (Estimate(0.9, 0.85, 0.95), 1.0, True),  # slower, whatever the threads
        (Estimate(0.98, 0.94, 1.02), 0.9, True),  # as fast at one thread, but no faster
        (Estimate(1.02, 0.98, 1.06), 0.9, False),  # two threads gain nothing on a busy machine
        (Estimate(1.5, 1.4, 1.6), 1.8, True),  # faster at one thread, which is all it has
        (Estimate(2.0, 1.9, 2.1), 1.8, False),
    ],
)
def test_what_is_slower_without_relaxed_simd_needs_it(without, gain, needed):
    found, sentence = needs.of(without, gain, "int8-weights")
    assert found == (("relaxed-simd",) if needed else ())
    assert sentence.startswith("Needs relaxed SIMD" if needed else "Runs without relaxed SIMD")
    assert f"{without.value:.2f}" in sentence


@st.composite
def fields(draw):
    """Candidates of two engines, float32 first."""
    others = draw(
        st.lists(
            st.builds(
                entry,
                st.uuids().map(str),
                st.integers(10_000, 50_000_000),
                speed=st.floats(0.2, 5),
                load=st.floats(0.2, 5),
                cpu=st.floats(0.001, 1),
                loss=st.floats(-1, 20),
                longer=st.floats(-50, 500),
                engine=st.sampled_from(sorted(ENGINES)),
                smaller_input=st.booleans(),
            ),
            max_size=8,
        )
    )
    return [FLOAT32, *others]


@given(fields(), st.sampled_from([0.1, 0.5, 1.0]))
def test_nothing_is_chosen_that_costs_too_much_or_is_surely_slower_than_float32(every, budget):
    made = decided(*every[1:], budget=budget)
    for name in made.chosen.values():
        one = made.entry(name)
        assert one is FLOAT32 or not choice.objection(one, "balanced", budget)
        assert one.speedup.high >= 1
    assert "onnxruntime" in made.chosen
    assert made.winner in made.chosen.values()


@given(fields(), st.sampled_from([0.1, 0.5, 1.0]))
def test_no_other_engines_choice_is_clearly_better_than_the_winner(every, budget):
    made = decided(*every[1:], budget=budget)
    winner = made.entry(made.winner)
    for name in made.chosen.values():
        assert winner.whole_cost <= made.entry(name).whole_cost * (1 + choice.SAME)


@given(fields())
def test_everybody_has_a_sentence_and_somebody_is_on_the_front(every):
    made = decided(*every[1:])
    assert all(reasons.candidates(made).values())
    assert choice.front(every)
