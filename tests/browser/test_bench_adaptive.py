"""`bench adaptive`, with few rounds: its levers work, and its modes differ in what they promise."""

from __future__ import annotations

import shutil

import pytest

from builder import power
from builder.bench import adaptive
from builder.bench.modes import CALM, CRITICAL, LOW, MODES
from builder.paths import STATIC
from builder.report import Report

TABBY = 281


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Labelled photos: one."""
    folder = tmp_path_factory.mktemp("photos")
    shutil.copy(STATIC / "samples" / "chelsea.jpg", folder)
    (folder / "labels.csv").write_text(f"file,class_index\nchelsea.jpg,{TABBY}\n", "utf-8")
    return folder


@pytest.mark.heavy
def test_every_state_is_brought_about_and_every_mode_measured(photos):
    if power.missing():
        pytest.skip(power.missing())
    report = Report("bench adaptive")
    plan = (CALM, LOW, CRITICAL)
    adaptive.measure(
        report, photos, rounds=1, count=10, stretch=1, overhead_rounds=4, slowings=1, plan=plan
    )  # fmt: skip
    decided = {(row["state"], row["priority"]): row for row in report.beside["states"]}
    strategies = [decided[state.words, "balanced"]["strategy"] for state in plan]
    assert strategies == ["full", "lightweight", "throttled"]
    assert decided[CALM.words, "balanced"]["mode"] == "full"
    assert decided[LOW.words, "energy"]["mode"] == "energy"
    assert decided[CRITICAL.words, "balanced"]["rests"]
    samples, ratios = report.samples, report.ratios
    assert set(samples) == {f"{mode}.{what}" for mode in MODES for what in ("cpu", "latency")}
    assert samples["energy.cpu"]["median"] < samples["full.cpu"]["median"]
    untamed = 1 / report.figures["throttled.target"]["value"]  # a whole core
    for given in adaptive.GIVEN:
        assert 0 < ratios[f"throttled{given}.cpu_over_target"].value < untamed
    assert ratios["overhead.over_infer"].value > 0
    assert report.figures["slowness.found"]["value"] in (0, 1)
    assert report.figures["count"]["value"] == 1
    assert {f"{mode}.top1" for mode in adaptive.JUDGED} <= set(report.figures)
