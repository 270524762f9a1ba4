"""`bench startup` opens what it says, and its arms agree. How long they take is not tested here."""

from __future__ import annotations

import pytest

from builder.bench import startup
from builder.report import Report


@pytest.mark.heavy
def test_every_way_to_the_first_label_works_offline_and_agrees():
    report = Report("bench startup")
    startup.label(report, opens=1, warm_ups=0)
    assert set(report.ratios) == set(startup.LABEL_RATIOS)
    assert set(report.samples) == {f"label.{name}" for name in startup._names(startup.LABEL)}
    assert all(sample["median"] > 0 for sample in report.samples.values())


@pytest.mark.heavy
def test_every_way_to_the_first_embedding_works_and_agrees():
    report = Report("bench startup")
    startup.minilm(report, opens=1, warm_ups=0)
    assert set(report.ratios) == set(startup.MINILM_RATIOS)
    assert set(report.samples) == {f"minilm.{name}" for name in startup._names(startup.MINILM)}


@pytest.mark.heavy
def test_the_timeline_shows_both_workers():
    report = Report("bench startup")
    startup.phases(report, opens=1, warm_ups=0)
    for phase in ("engine: start", "inference: start", "ready"):
        assert report.figures[f"phase.{phase}"]["value"] > 0
