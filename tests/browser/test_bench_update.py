"""The measurement of updates, with few bytes: its arms work, and its figures keep promises."""

import pytest

from builder.bench import update
from builder.report import Report


@pytest.mark.heavy
def test_both_arms_download_and_store_and_are_compared():
    report = Report("bench update")
    update.install(report, rounds=1, size=2_000_000)
    assert set(report.ratios) == {"install.satchel_over_fetch_put", "install.loopback"}
    assert all(ratio.value > 0 for ratio in report.ratios.values())


def test_a_fine_tuned_model_costs_little_more_than_what_changed():
    report = Report("bench update")
    update.delta(report)
    assert 1 <= report.figures["delta.fetched_over_changed"]["value"] <= 1.2
    assert report.figures["delta.metadata"]["value"] < 5000


@pytest.mark.heavy
def test_a_model_is_validated_and_goes_back_and_forth_between_its_versions():
    report = Report("bench update")
    update.versions(report, turns=2)
    assert report.figures["install.validation_s"]["value"] > 0
    assert len(report.samples["versions.rollback"]["values"]) == 2
    assert report.ratios["versions.rollback_over_open"].value > 0
