"""report.json: what is written is read again, and what isn't a report is told as such."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sample_reports

from satchel_models.errors import ReportError
from satchel_models.report import decode, encode, read
from satchel_models.report.encoding import text
from satchel_models.results import Estimate

DOCS = Path(__file__).resolve().parents[3] / "docs" / "optimizing.md"

FOLDER = sample_reports.OUT / "reports"


def written(report=None):
    return json.loads(text(report or sample_reports.label(), FOLDER))


@pytest.mark.parametrize(
    "make",
    [
        sample_reports.label,
        sample_reports.two_engines,
        sample_reports.minilm,
        sample_reports.unlabelled,
    ],
)
def test_what_is_written_is_read_again(make):
    report = make(warnings=("Nothing is labelled.",))
    assert decode(json.loads(text(report, FOLDER)), FOLDER) == report


def test_a_folder_may_move_together_with_its_report(tmp_path):
    moved = decode(written(), tmp_path / "elsewhere")
    assert moved.optimized_model_path == tmp_path / "int8-weights.ready.onnx"


def test_no_path_of_the_machine_is_written():
    assert str(sample_reports.OUT) not in json.dumps(written()["report"])


def test_it_has_the_keys_of_every_report():
    data = written()
    assert (data["schema"], data["command"]) == (1, "optimize")
    assert data["machine"] == sample_reports.MACHINE
    assert data["versions"] == sample_reports.VERSIONS
    latency = data["samples"]["latency.int8-weights.1.224×224"]
    assert latency["unit"] == "ms"
    assert len(latency["values"]) == 40
    assert latency["median"] == pytest.approx(float(np.median(latency["values"])))
    assert data["ratios"]["speedup.int8-weights"] == {
        "value": 1.02,
        "low": pytest.approx(0.9945),
        "high": pytest.approx(1.04856),
    }
    assert data["figures"]["size"] == {"value": 4_842_113, "unit": "bytes"}
    assert data["figures"]["accuracy_delta"]["value"] == -0.1
    assert data["report"]["size_reduction"] == pytest.approx(0.739, abs=1e-3)


def test_numpys_numbers_become_plain_ones():
    report = sample_reports.label(
        speedup=np.float32(1.5), seed=np.int64(3), accuracy_delta=np.float64(-0.25)
    )
    data = written(report)["report"]
    assert (data["speedup"], data["seed"], data["accuracy_delta"]) == (1.5, 3, -0.25)
    assert decode(written(report), FOLDER).speedup == 1.5


def test_a_figure_that_is_not_finite_is_null_and_comes_back_as_no_number():
    report = sample_reports.label()
    broken = replace(report.candidates[0], speed=Estimate(1.0, -math.inf, math.nan))
    data = written(replace(report, candidates=(broken, *report.candidates[1:])))
    assert data["report"]["candidates"][0]["speed"] == {"value": 1.0, "low": None, "high": None}
    assert math.isnan(decode(data, FOLDER).candidates[0].speed.low)


def test_a_candidate_says_by_itself_what_the_report_says_of_the_winner():
    data = written(sample_reports.two_engines())
    chosen = {one["engine"]: one for one in data["report"]["candidates"] if one["chosen"]}
    assert {engine: one["name"] for engine, one in chosen.items()} == {
        "litert": "litert-int8-static",
        "onnxruntime": "int8-weights",
    }
    for name in ("size_reduction", "speedup", "accuracy_delta", "accuracy_interval"):
        assert chosen["litert"][name] == data["report"][name] is not None
    assert chosen["onnxruntime"]["speedup"] == 1.02


def test_engines_have_their_downloads_and_the_winners_lead():
    data = written(sample_reports.two_engines())
    figures, ratios = data["figures"], data["ratios"]
    assert figures["engine_bytes.onnxruntime"] == {"value": 2_555_468, "unit": "bytes"}
    assert figures["download.litert-int8-static"]["value"] == 5_351_004 + 2_465_310
    assert ratios["winner_time.onnxruntime.1"] == {"value": 0.41, "low": 0.39, "high": 0.43}
    assert ratios["winner_time.onnxruntime.2"]["value"] == 0.5
    assert not any(name.startswith("winner_time.litert") for name in ratios)


def test_a_delta_that_cannot_be_told_stays_untold():
    report = sample_reports.label(
        accuracy_delta=None, accuracy_interval=None, accuracy_reason="No data was given."
    )
    assert decode(written(report), FOLDER).accuracy_delta is None


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("level",), "brave", "report.level"),
        (("seed",), "0", "report.seed"),
        (("seed",), True, "report.seed"),
        (("size_reduction",), "0.7", "report.size_reduction"),
        (("model",), 7, "report.model"),
        (("optimized_model_path",), None, "report.optimized_model_path"),
        (("candidates", 2, "pareto"), 1, r"report.candidates\[2\].pareto"),
        (("candidates", 2, "candidate", "engine"), "tvm", r"candidates\[2\].candidate.engine"),
        (("candidates", 2, "surprise"), 1, "surprise"),
    ],
)
def test_a_field_of_another_type_is_named(place, value, words):
    data = written()
    inside = data["report"]
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = value
    with pytest.raises(ReportError, match=words):
        decode(data, FOLDER)


def test_a_missing_field_is_named():
    data = written()
    del data["report"]["machine"]
    with pytest.raises(ReportError, match="machine"):
        decode(data, FOLDER)


def test_many_wrong_fields_make_no_endless_message():
    data = written()
    for candidate in data["report"]["candidates"]:
        candidate["pareto"] = "yes"
    with pytest.raises(ReportError, match="and 7 more") as caught:
        decode(data, FOLDER)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("data", [None, [], {}, {"command": "evaluate", "figures": {}}])
def test_something_else_is_no_report(data):
    with pytest.raises(ReportError, match="no report of `optimize`"):
        decode(data, FOLDER)


def test_a_report_of_another_schema_says_what_to_do():
    with pytest.raises(ReportError, match=r"schema 2.*Run `optimize` again"):
        decode(written() | {"schema": 2}, FOLDER)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ReportError, match=r"nowhere\.json cannot be read: No such file"):
        read(tmp_path / "nowhere.json")
    (tmp_path / "half.json").write_text('{"schema": 1, ')
    with pytest.raises(ReportError, match=r"half\.json is no JSON"):
        read(tmp_path / "half.json")
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ReportError, match=r"other\.json: This is no report"):
        read(tmp_path / "other.json")


def test_a_file_is_read_where_it_lies(tmp_path):
    report = sample_reports.label(out=tmp_path)
    path = tmp_path / "report.json"
    path.write_text(text(report, tmp_path), "utf-8")
    assert read(path) == report
    assert isinstance(encode(report, tmp_path)["report"], dict)
    assert read(path).optimized_model_path == Path(tmp_path / "int8-weights.ready.onnx")


def test_the_example_in_the_docs_runs(tmp_path, monkeypatch, capsys):
    (tmp_path / "out").mkdir()
    report = sample_reports.label(out=tmp_path / "out")
    (tmp_path / "out" / "report.json").write_text(text(report, tmp_path / "out"), "utf-8")
    (example,) = re.findall(r"```python\n(from pathlib.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert capsys.readouterr().out.startswith("0.739")
