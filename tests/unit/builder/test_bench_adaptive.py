"""What `bench adaptive` makes of its measurements: ways, the table of states, names."""

from dataclasses import asdict

import pytest

from builder.bench import adaptive, modes, publish, ratios
from builder.bench.modes import CALM, CRITICAL, LOW, MODES, PRIORITIES, Way
from builder.errors import BuildError
from builder.report import Report

WAYS = {
    "full": Way("int8", 224, 2),
    "speed": Way("int8@192", 192, 2),
    "lightweight": Way("int8@192", 192, 1),
    "quality": Way("int8", 224, 1),
    "energy": Way("int8@160", 160, 1),
}


def decision(way, strategy="full", delay=0.0, reason="So it is."):
    told = {"strategy": strategy, "delay": delay, "reason": reason}
    return {**asdict(way), **told}


def report_with(rows, **figures):
    report = Report("bench adaptive")
    report.beside["ways"] = {name: asdict(way) for name, way in WAYS.items()}
    report.beside["states"] = [asdict(row) for row in rows]
    for number, name in enumerate(MODES):
        report.sample(f"{name}.latency", [10.0 + number], "ms")
        report.sample(f"{name}.cpu", [20.0 + number], "ms")
    for name, value in figures.items():
        report.figure(f"{name}.top1", value, "fraction")
    return report


def test_the_published_names_are_there():
    assert set(adaptive.STORY.ratios) >= {
        "lightweight.cpu_over_full",
        "energy.cpu_over_full",
        "throttled.cpu_over_target",
        "overhead.over_infer",
    }
    assert set(adaptive.STORY.figures) >= {"full.top1", "lightweight.top1", "energy.top1"}


def test_every_mode_is_in_the_chart_and_every_way_of_a_variant_is_judged():
    told = {one.sample for group in adaptive.STORY.groups.values() for one in group}
    assert told == {f"{name}.{what}" for name in MODES for what in ("cpu", "latency")}
    judged = {WAYS[name].variant for name in adaptive.JUDGED}
    assert judged == {way.variant for way in WAYS.values()}


@pytest.mark.parametrize("mode", sorted(MODES))
def test_a_decision_belongs_to_the_mode_that_works_like_it(mode):
    found = modes.decided(CALM, "balanced", decision(WAYS[mode]), WAYS)
    assert (found.mode, found.state, found.rests) == (mode, CALM.words, False)


def test_of_modes_that_work_alike_the_one_with_the_decision_s_strategy_is_meant():
    alike = {**WAYS, "speed": WAYS["lightweight"]}
    for strategy, mode in (("full", "speed"), ("lightweight", "lightweight")):
        told = decision(WAYS["lightweight"], strategy)
        assert modes.decided(LOW, "balanced", told, alike).mode == mode


def test_a_decision_that_no_mode_works_like_is_an_error_with_its_reason():
    odd = decision(Way("float32", 224, 2), reason="Loading it ended this page.")
    with pytest.raises(BuildError, match=r"priority speed .* 224 px, 2 threads \(Loading it"):
        modes.decided(CALM, "speed", odd, WAYS)


def test_the_page_has_a_row_for_each_state_and_priority_with_what_was_measured(tmp_path):
    rows = [
        modes.decided(state, priority, decision(WAYS[mode], strategy, delay, reason), WAYS)
        for state, mode, strategy, delay, reason in (
            (LOW, "lightweight", "lightweight", 0.0, "Battery at 15 %."),
            (CRITICAL, "quality", "throttled", 0.7, "Too hot."),
        )
        for priority in PRIORITIES
    ]
    report = report_with(rows, full=0.854, lightweight=0.842)
    report.figure("lightweight.top1_change", -0.012, "fraction", (-0.03, 0.004))
    publish.write(report, tmp_path / "adaptive.json", adaptive.STORY)
    page = (tmp_path / "adaptive.md").read_text("utf-8")
    for priority in PRIORITIES:
        light = "lightweight | 192 px, 1 thread | 12 ms | 22 ms | 84.2 % |"
        assert f"| {LOW.words} | {priority} | {light}\n" in page
        hot = "throttled | 224 px, 1 thread, with rests | 13 ms | 23 ms | 85.4 % |"
        assert f"| {CRITICAL.words} | {priority} | {hot}\n" in page
    assert f"- {CRITICAL.words}: “Too hot.”\n" in page
    assert "(`lightweight.top1_change`) | -1.2 % (-3.0 % to 0.4 %) |" in page


def test_without_photos_the_table_says_nothing_of_accuracy():
    report = report_with([modes.decided(CALM, "balanced", decision(WAYS["full"]), WAYS)])
    assert "| 10 ms | 20 ms |  |\n" in modes.page(report.as_json())


def test_totals_count_what_is_seldom_and_noise_of_both_cancels_out():
    seldom = ratios.totals([0.0, 0.0, 0.0, 4.0], [10.0, 10.0, 10.0, 10.0])
    assert seldom.value == pytest.approx(0.1)
    assert seldom.low == 0.0
    noise = [1.0, 3.0, 1.0, 2.0, 5.0]
    together = ratios.totals([0.5 * value for value in noise], noise)
    assert (together.value, together.low, together.high) == pytest.approx((0.5, 0.5, 0.5))


def test_totals_of_different_rounds_are_no_pairs():
    with pytest.raises(ValueError, match="of one length"):
        ratios.totals([1.0, 2.0], [1.0])
