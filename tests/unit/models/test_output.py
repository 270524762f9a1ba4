"""What an optimisation leaves behind: a file for each engine, the winner's first."""

from dataclasses import replace

import pytest
import sample_reports

from satchel_models import artefact, output, report
from satchel_models.results import Engine


@pytest.fixture
def found(tmp_path):
    """A report whose candidates' files are there."""
    made = sample_reports.two_engines(out=tmp_path / "cache")
    (tmp_path / "cache").mkdir()
    for one in made.compiled:
        one.file.write_text(one.candidate)
    return made


def test_each_engines_choice_lies_in_the_folder_and_the_winner_is_what_was_optimised(
    found, tmp_path
):
    written = output.written(found, tmp_path / "out")
    texts = {path.name: path.read_text() for path in (tmp_path / "out").glob("model.*")}
    assert texts == {"model.onnx": "int8-weights", "model.tflite": "litert-int8-static"}
    assert written.optimized_model_path == tmp_path / "out" / "model.tflite"
    assert report.read(tmp_path / "out" / "report.json") == written


def test_without_litert_there_is_one_file(tmp_path):
    made = sample_reports.label(out=tmp_path)
    for one in made.compiled:
        one.file.write_text(one.candidate)
    written = output.written(made, tmp_path / "out")
    assert written.optimized_model_path.read_text() == "int8-weights"
    assert [path.name for path in (tmp_path / "out").glob("model.*")] == ["model.onnx"]


def test_a_build_gets_a_variant_for_each_engine_the_winner_first(found, tmp_path):
    written = output.written(found, tmp_path / "out")
    (first, one), (second, other) = artefact.variants(written, (224,))
    assert (first.name, first.engine, first.needs) == (
        "litert-int8-static",
        "litert",
        ("relaxed-simd",),
    )
    assert (second.name, second.engine, second.needs) == ("int8-weights", "onnxruntime", ())
    assert (first.resolutions, second.session) == ((224,), sample_reports.BASIC)
    assert (one.name, other.name) == ("model.tflite", "model.onnx")
    assert first.file == one.name
    assert first.accuracy == {"top1": pytest.approx(0.873)}
    assert first.latency_ms == pytest.approx(19.5, abs=1)
    assert first.cpu_seconds == pytest.approx(0.018, abs=0.002)


def test_without_labels_a_variant_says_nothing_of_its_accuracy(tmp_path):
    made = sample_reports.unlabelled(out=tmp_path)
    made = replace(made, engines=(Engine("onnxruntime", 1, "int8-weights", (), ""),))
    ((only, _),) = artefact.variants(made)
    assert (only.name, only.accuracy) == ("int8-weights", {})


def test_an_engine_without_a_choice_gives_no_variant(found, tmp_path):
    litert, onnxruntime = found.engines
    fallback = replace(
        found,
        engines=(replace(onnxruntime, leads=()), replace(litert, chosen="")),
    )
    assert [variant.name for variant, _ in artefact.variants(fallback)] == ["int8-weights"]
