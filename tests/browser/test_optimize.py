"""EdgeOptimizer from a file to a report, with a real Chromium in the middle."""

import asyncio
import json

import numpy as np
import onnxruntime
import pytest
import small_classifier

from builder.optimizing import Tools
from satchel import chunks, golden
from satchel_models import EdgeOptimizer, report
from satchel_models.convert import Original
from satchel_models.data import Preprocessing
from satchel_models.results import STEPS
from satchel_models.subjects import File

PIXELS = Preprocessing(resize=32, mean=(0.0,), scale=(255.0,))


class Case:
    """A model, photos, and an optimiser that keeps its steps' results."""

    def __init__(self, folder):
        self.model = small_classifier.model(folder / "small.onnx")
        self.photos = small_classifier.photos(folder / "photos", self.model)
        self.folder = folder
        self.told = []

    def optimizer(self, **more):
        return EdgeOptimizer(
            File(Original(self.model), PIXELS),
            data=self.photos,
            out=self.folder / "out",
            tools=Tools(),
            cache=self.folder / "cache",
            told=lambda *words: self.told.append(words),
            **more,
        )


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return Case(tmp_path_factory.mktemp("optimize"))


@pytest.fixture(scope="module")
def found(case):
    return asyncio.run(case.optimizer().optimize_for_edge("browser", "balanced"))


def test_the_chosen_file_is_small_and_answers_as_the_original(case, found):
    assert found.steps_completed == STEPS
    size = found.optimized_model_path.stat().st_size
    assert size < 0.6 * case.model.stat().st_size
    assert found.size_reduction == pytest.approx(1 - size / found.original_size)
    photo = np.random.default_rng(5).random((1, 3, 32, 32), np.float32)
    before, after = (
        onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(
            None, {"photo": photo}
        )[0]
        for path in (case.model, found.optimized_model_path)
    )
    np.testing.assert_allclose(after, before, atol=0.1)


def test_every_candidate_was_measured_in_the_browser_at_one_and_two_threads(found):
    assert len(found.candidates) >= 6
    for one in found.candidates:
        assert {timing.threads for timing in one.timings} == {1, 2}
        assert all(len(timing.latency_ms) >= 10 for timing in one.timings)
        assert one.creation_ms
    assert {one.accuracy.metric for one in found.candidates} == {"top1"}
    assert found.candidates[0].accuracy.value == pytest.approx(0.8, abs=0.1)
    assert "Chromium" in str(found.versions) or "chromium" in str(found.versions)


def test_the_chosen_one_keeps_to_its_budget_and_is_no_slower(found):
    (chosen,) = [one for one in found.candidates if one.chosen]
    assert chosen.selection.value <= 0.5
    assert chosen.speed.high >= 1
    assert found.speedup == chosen.speedup
    assert found.accuracy_delta == chosen.accuracy.delta


def test_a_release_has_what_it_needs(found):
    (chosen,) = [one for one in found.candidates if one.chosen]
    (ready,) = [one for one in found.compiled if one.candidate == chosen.candidate.name]
    content = ready.file.read_bytes()
    assert chunks.decode(ready.chunks.read_bytes(), len(content))
    checks = golden.decode(ready.golden.read_bytes())
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for number, one in enumerate(checks.cases):
        names = list(one.outputs)
        again = dict(zip(names, session.run(names, dict(one.inputs)), strict=True))
        assert checks.problem(number, again) is None


def test_the_reports_lie_beside_the_model(case, found):
    kept = case.folder / "out"
    assert {path.name for path in kept.iterdir()} == {
        "model.onnx", "report.json", "report.html", "report.md",
    }  # fmt: skip
    assert report.read(kept / "report.json").candidates == found.candidates
    assert json.loads((kept / "report.json").read_text())["schema"] == 1


def test_what_has_not_changed_is_not_done_again(case, found):
    again = asyncio.run(case.optimizer().optimize_for_edge("browser", "balanced"))
    assert set(again.cached) == set(STEPS)
    assert again.candidates == found.candidates


@pytest.mark.heavy
def test_another_level_begins_after_the_conversion(case, found):
    fast = asyncio.run(case.optimizer().optimize_for_edge("browser", "fast"))
    assert fast.cached == ("onnx_conversion",)
    names = {one.candidate.name for one in fast.candidates}
    assert names < {one.candidate.name for one in found.candidates}


def test_a_run_that_is_cancelled_ends_soon_and_leaves_nothing(case, tmp_path):
    optimizer = case.optimizer(seed=1)
    optimizer._out = tmp_path / "out"

    async def cancelled():
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()
        optimizer._told = lambda step, *_: (
            loop.call_soon_threadsafe(begun.set) if step == "quantization" else None
        )
        running = asyncio.ensure_future(optimizer.optimize_for_edge("browser", "balanced"))
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(cancelled())
    assert not (tmp_path / "out").exists()
    assert not list((case.folder / "cache").rglob("making-*"))
