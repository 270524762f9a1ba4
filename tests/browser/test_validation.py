"""Step 5 from candidates to a choice, in a real Chromium, on a model whose answers are known."""

from itertools import pairwise

import numpy as np
import onnx
import pytest
import tflite_files
from onnx import TensorProto, helper

from builder import laboratory
from satchel_models import data
from satchel_models.errors import ModelError
from satchel_models.measurement import Schedule, validate
from satchel_models.recipe import Session
from satchel_models.steps import Candidate, Converted, Quantised, Spec

SIZE, CLASSES, LAYERS = 192, 10, 10
QUICK = Schedule(rounds=5, turn_ms=20, sessions=4)
BASIC = Session("basic")


def save(path, matrices):
    """Products with matrices in a row."""
    weights, nodes = [], []
    for k, matrix in enumerate(matrices):
        weights.append(helper.make_tensor(f"w{k}", TensorProto.FLOAT, matrix.shape, matrix))
        last = "scores" if k == len(matrices) - 1 else f"v{k + 1}"
        nodes.append(helper.make_node("MatMul", [f"v{k}" if k else "x", f"w{k}"], [last]))
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size])
        for name, size in (("x", SIZE), ("scores", CLASSES))
    ]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], weights)
    opsets = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), path)
    return path


def candidate(file, **more):
    engine = "litert" if file.suffix == ".tflite" else "onnxruntime"
    return Candidate(
        file.stem, engine, file, BASIC, file.stat().st_size, "Made for a test.", **more
    )


@pytest.fixture(scope="module")
def turned():
    """Matrices that do much and change little: turns, then the classes' directions."""
    random = np.random.default_rng(0)
    turns = [np.linalg.qr(random.normal(size=(SIZE, SIZE)))[0] for _ in range(LAYERS - 1)]
    return [*turns, random.normal(size=(SIZE, CLASSES))]


@pytest.fixture(scope="module")
def made(tmp_path_factory, turned):
    """The original, candidates, and data whose labels are mostly what the original says."""
    folder = tmp_path_factory.mktemp("candidates")
    whole = np.linalg.multi_dot(turned)
    random = np.random.default_rng(1)
    x = random.normal(size=(400, SIZE)).astype(np.float32)
    labels = (x @ whole).argmax(axis=1)
    labels[::10] = random.integers(0, CLASSES, 40)
    np.savez(folder / "data.npz", x=x, labels=labels)
    float32 = save(folder / "float32.onnx", [m.astype(np.float32) for m in turned])
    poor = whole + random.normal(0, whole.std(), whole.shape)
    longer = [*turned[:-1], *(np.eye(SIZE),) * 3 * LAYERS, turned[-1]]
    damaged = folder / "damaged.onnx"
    damaged.write_bytes(b"no model")
    lite = folder / "lite.tflite"
    lite.write_bytes(tflite_files.products([whole], result="scores"))
    many = folder / "pairs.tflite"
    many.write_bytes(tflite_files.products([whole], result="scores", batch=2))
    endless = [np.full(whole.shape, 3e38, np.float32)]
    candidates = (
        candidate(float32),
        candidate(save(folder / "short.onnx", [whole.astype(np.float32)])),
        candidate(save(folder / "poor.onnx", [poor.astype(np.float32)])),
        candidate(save(folder / "long.onnx", [m.astype(np.float32) for m in longer])),
        candidate(damaged),
        candidate(save(folder / "endless.onnx", endless)),
        candidate(lite),
        candidate(many),
    )
    inputs = (Spec("x", "float32", ("batch", SIZE)),)
    outputs = (Spec("scores", "float32", ("batch", CLASSES)),)
    converted = Converted(float32, "ONNX", inputs, outputs, 18, LAYERS, ((1, SIZE),))
    return converted, candidates, folder / "data.npz"


@pytest.fixture(scope="module")
def lab():
    with laboratory.opened() as opened:
        yield opened


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def found(made, lab, told):
    converted, candidates, path = made
    dataset = data.load(path, converted)
    return validate(
        converted,
        Quantised(candidates),
        dataset,
        "balanced",
        lab,
        lambda words, share: told.append((words, share)),
        schedule=QUICK,
    )


def by_name(found):
    return {measured.candidate.name: measured for measured in found.measured}


def test_the_small_quick_and_right_one_is_chosen_for_each_engine_and_nothing_else(found):
    names = ["float32", "short", "poor", "long", "lite"]
    assert [one.name for one in found.measured] == names
    chosen = {one.engine: one.name for one in found.measured if one.chosen}
    assert chosen == {"onnxruntime": "short", "litert": "lite"}


def test_the_winner_over_all_engines_comes_first_with_its_lead_over_the_others(found, lab):
    first, second = found.engines
    assert {first.name, second.name} == {"onnxruntime", "litert"}
    assert (first.leads, [lead.threads for lead in second.leads]) == ((), [1, 2])
    for lead in second.leads:
        assert 0 < lead.time.low <= lead.time.value <= lead.time.high
    assert second.chosen in second.why
    for engine in found.engines:
        assert engine.bytes == lab.downloads[engine.name]
        assert by_name(found)[engine.chosen].download > engine.bytes > 1_000_000


def test_whether_litert_is_worth_while_without_relaxed_simd_is_measured(found):
    lite, short = (by_name(found)[name] for name in ("lite", "short"))
    assert lite.needs in ((), ("relaxed-simd",))
    assert "without relaxed SIMD" in lite.needs_why or "without it" in lite.needs_why
    assert "short at one thread" in lite.needs_why
    assert (short.needs, short.needs_why) == ((), "")


def test_whoever_does_not_run_is_rejected_with_a_reason(found):
    damaged, endless, pairs = found.rejected
    assert (damaged.name, endless.name, pairs.name) == ("damaged", "endless", "pairs")
    assert "doesn't load" in damaged.reason
    assert "not finite" in endless.reason
    assert "its input x takes float32 [2, 192], and got float32 [1, 192]" in pairs.reason


def test_every_candidate_has_its_figures_and_a_sentence(found):
    float32, short, poor, long, _ = found.measured
    assert short.size_reduction > 0.8 > 0 == float32.size_reduction > long.size_reduction
    assert short.speed.low > 1 > long.speed.high
    assert "Loses" in poor.why
    assert "Slower than float32" in long.why
    for one in found.measured:
        assert one.why
        assert len(one.creation_ms) == QUICK.sessions
        assert [(t.threads, t.feed) for t in one.timings] == [(1, "1×192"), (2, "1×192")]
        assert all(len(t.cpu_seconds) == QUICK.rounds for t in one.timings)


def test_accuracy_is_the_browsers_on_the_reporting_part(found):
    float32, short, poor, _, lite = (one.accuracy for one in found.measured)
    assert (float32.metric, float32.count, float32.where) == ("top1", 200, "browser")
    assert 0.85 < float32.original < 0.97
    assert (short.value, short.delta, short.interval) == (short.original, 0, (0, 0))
    assert (lite.value, lite.delta, lite.where) == (short.original, 0, "browser")
    assert poor.delta < -10
    assert poor.interval[0] <= poor.delta <= poor.interval[1] < 0
    assert poor.cosine < 0.9 < short.cosine
    assert short.max_error < 0.01 < poor.max_error
    assert "top5" in short.more


def test_progress_is_told_all_along_and_goes_forward(found, told):
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[0] < 0.05
    assert shares[-1] > 0.95
    assert max(b - a for a, b in pairwise(shares)) < 0.2


def test_versions_of_the_browser_and_its_engine_are_noted(found):
    engines = {"onnxruntime in the browser", "litert in the browser"}
    assert set(found.versions) == {"Chromium", *engines}


def test_a_float32_that_does_not_run_ends_it_in_a_sentence(made, lab):
    converted, (_, short, *_), path = made
    unknown = save(short.file.with_name("other.onnx"), [np.ones((SIZE, CLASSES), np.float32)])
    with_later_opset = onnx.load(unknown)
    with_later_opset.ir_version = 99
    onnx.save(with_later_opset, unknown)
    dataset = data.load(path, converted)
    with pytest.raises(ModelError, match="other"):
        validate(
            converted,
            Quantised((candidate(unknown), short)),
            dataset,
            "fast",
            lab,
            lambda words, share: None,
            schedule=QUICK,
        )
