"""docs/adaptation.md shows decisions as the code makes them."""

import json

import adaptation_page
import synthetic

AGAIN = "make it again: .venv/bin/python tests/unit/engine/adaptive/adaptation_page.py"


def test_the_page_is_made_of_the_code_and_the_report():
    report = json.loads(adaptation_page.REPORT.read_text("utf-8"))
    assert adaptation_page.PAGE.read_text("utf-8") == adaptation_page.text(report), AGAIN


def test_the_report_is_of_the_detector_as_it_is():
    """The recorded traces in full, and some seeds: the rest is for `--measure`."""
    report = json.loads(adaptation_page.REPORT.read_text("utf-8"))
    found = adaptation_page.measure(seeds=2)
    for part in ("runs", "alarms", "false", "loaded"):
        assert report[part] == found[part], f"{AGAIN} --measure"
    assert report["kinds"].keys() == synthetic.KINDS.keys()


def test_what_is_reported_keeps_the_promise():
    report = json.loads(adaptation_page.REPORT.read_text("utf-8"))
    assert report["seeds"] >= 200
    for kind, row in report["kinds"].items():
        assert row["false"] < 1, kind
        assert row["twice"]["soon"] >= 0.98, kind
        assert kind in ("wild", "restless") or row["step"]["soon"] >= 0.98, kind
    assert report["false"] < report["runs"] / 1000
    assert all(trace["runs"] <= 20 for trace in report["loaded"])
