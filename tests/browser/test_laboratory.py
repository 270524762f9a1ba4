"""Models measured in a real Chromium: side by side, and whoever fails fails alone.

Small graphs made here: what is measured matters less than that it is, and by whom.
"""

import numpy as np
import onnx
import pytest
import tflite_files
from onnx import TensorProto, helper

from builder import engines, laboratory
from satchel_models import graph, tflite
from satchel_models.errors import MeasurementError
from satchel_models.measurement import Contestant, Measurement, Refusal, Schedule
from satchel_models.recipe import Session

SIZE = 256
QUICK = Schedule(rounds=3, turn_ms=4, sessions=2, warm_up=1)
BASIC = Session("basic", {"session.disable_quant_qdq": "1"})

LABELS = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "uint8": TensorProto.UINT8}


def save(path, nodes, weights=(), *, kinds=None, size=SIZE):
    kinds = kinds or {"x": "float32", "y": "float32"}
    values = [
        helper.make_tensor_value_info(name, LABELS[kind], ["batch", size])
        for name, kind in kinds.items()
    ]
    made = helper.make_graph(nodes, "g", values[:-1], values[-1:], list(weights))
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, path)
    return path


def matrices(layers):
    random = np.random.default_rng(0)
    return [(random.normal(size=(SIZE, SIZE)) / 16).astype(np.float32) for _ in range(layers)]


def product(path, layers):
    """So many products of matrices in a row: the more, the longer it takes."""
    weights, nodes = [], []
    for k, values in enumerate(matrices(layers)):
        weights.append(helper.make_tensor(f"w{k}", TensorProto.FLOAT, [SIZE, SIZE], values))
        last = "y" if k == layers - 1 else f"v{k + 1}"
        nodes.append(helper.make_node("MatMul", [f"v{k}" if k else "x", f"w{k}"], [last]))
    return save(path, nodes, weights)


def feed(batch):
    return {"x": np.random.default_rng(1).normal(size=(batch, SIZE)).astype(np.float32)}


def contestant(file, name=None, feeds=None, session=BASIC, **more):
    feeds = feeds or {"few": feed(4), "many": feed(64)}
    engine = "litert" if file.suffix == ".tflite" else "onnxruntime"
    return Contestant(name or file.stem, engine, file, session, feeds, **more)


def quiet(words, share):
    assert words
    assert share is None or 0 <= share <= 1


@pytest.fixture(scope="module")
def lab():
    with laboratory.opened() as opened:
        yield opened


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    lite = folder / "lite.tflite"
    lite.write_bytes(tflite_files.products(matrices(12)))
    return {
        "one": product(folder / "one.onnx", 1),
        "twelve": product(folder / "twelve.onnx", 12),
        "lite": lite,
    }


def test_contestants_are_measured_side_by_side_with_every_kind_of_input(lab, files):
    found = lab.measure([contestant(files[name]) for name in ("one", "twelve")], QUICK, quiet)
    assert [one.name for one in found] == ["one", "twelve"]
    for one in found:
        assert list(one.samples) == [(1, "few"), (1, "many"), (2, "few"), (2, "many")]
        assert len(one.creation_ms) == len(one.baseline_creation_ms) == 2
        assert all(ms > 0 for ms in one.creation_ms)
        for samples in one.samples.values():
            assert len(samples.latency_ms) == len(samples.cpu_seconds) == QUICK.rounds
            assert all(2 <= len(turn) <= 50 for turn in samples.latency_ms)
            assert all(ms >= 0 for turn in samples.latency_ms for ms in turn)
    one, twelve = (each.samples[1, "many"] for each in found)
    assert twelve.baseline_ms == one.latency_ms
    assert np.median(np.concatenate(twelve.latency_ms)) > 2 * np.median(
        np.concatenate(one.latency_ms)
    )


def test_engines_take_turns_in_one_run_and_one_may_have_to_do_without_relaxed_simd(lab, files):
    one = {"a": feed(1)}
    plain = {"without": frozenset({"relaxed-simd"}), "threads": (1,)}
    damaged = files["lite"].with_name("damaged.tflite")
    damaged.write_bytes(b"\x1c\0\0\0TFL3 and no more than that")
    field = [
        contestant(files["twelve"], feeds=one),
        contestant(files["lite"], feeds=one),
        contestant(damaged, feeds=one),
        contestant(files["lite"], "plain", one, **plain),
    ]
    twelve, lite, refused, without = lab.measure(field, QUICK, quiet)
    assert isinstance(refused, Refusal)
    assert refused.reason
    assert list(lite.samples) == [(1, "a"), (2, "a")]
    assert list(without.samples) == [(1, "a")]
    for found in (lite, without):
        assert found.samples[1, "a"].baseline_ms == twelve.samples[1, "a"].latency_ms
        assert all(ms > 0 for turn in found.samples[1, "a"].latency_ms for ms in turn)
        assert len(found.creation_ms) == QUICK.sessions
    assert {"onnxruntime in the browser", "litert in the browser"} <= set(lab.versions)


@pytest.mark.parametrize(
    ("threads", "more"),
    [(1, {}), (2, {}), (1, {"without": frozenset({"relaxed-simd"}), "threads": (1,)})],
)
def test_litert_answers_as_it_does_at_home(lab, files, threads, more):
    feeds = [feed(1)] * 3
    found = lab.outputs(contestant(files["lite"], **more), feeds, quiet, threads=threads)
    expected = tflite.Model("lite", files["lite"].read_bytes()).run(feeds[0])["y"]
    assert len(found) == 3
    for answer in found:
        np.testing.assert_allclose(answer["y"], expected, rtol=1e-4, atol=1e-5)


def test_what_an_engine_weighs_on_the_wire_is_found_out_and_not_typed_in(lab):
    assert set(lab.downloads) == {"onnxruntime", "litert"}
    for name, size in lab.downloads.items():
        engine = engines.of(name)
        largest = max(len(content) for content in engine.large.values())
        assert 0.1 * largest < size < 0.4 * largest


def test_processor_time_is_that_of_the_work_and_no_more(lab, files):
    long = Schedule(threads=(1,), rounds=3, turn_ms=400, most=5000, sessions=0)
    (found,) = lab.measure([contestant(files["twelve"], feeds={"a": feed(64)})], long, quiet)
    samples = found.samples[1, "a"]
    used = np.mean(samples.cpu_seconds)
    lasted = np.mean([np.mean(turn) for turn in samples.latency_ms]) / 1000
    # It waits for a processor that others use, so wall time may be longer; a tick is 10 ms.
    assert 0.2 * lasted < used < 1.5 * lasted


def test_who_does_not_load_or_gives_nan_is_refused_in_the_engines_words(lab, files, tmp_path):
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"no model")
    logarithm = save(tmp_path / "log.onnx", [helper.make_node("Log", ["x"], ["y"])])
    unknown = save(tmp_path / "unknown.onnx", [helper.make_node("Unheard", ["x"], ["y"])])
    field = [files["one"], damaged, files["twelve"], logarithm, unknown]
    found = lab.measure([contestant(file) for file in field], QUICK, quiet)
    kinds = [type(one) for one in found]
    assert kinds == [Measurement, Refusal, Measurement, Refusal, Refusal]
    assert "protobuf parsing failed" in found[1].reason
    assert found[3].reason == "Its output y is not finite in the browser, on few."
    assert "Unheard" in found[4].reason


def test_infinities_are_no_fault_where_the_first_one_has_them_too(lab, tmp_path):
    nodes = [helper.make_node("Log", ["x"], ["y"])]
    files = [save(tmp_path / f"{name}.onnx", nodes) for name in "ab"]
    zeros = {"few": {"x": np.zeros((1, SIZE), np.float32)}}
    found = lab.measure([contestant(file, feeds=zeros) for file in files], QUICK, quiet)
    assert [type(one) for one in found] == [Measurement, Measurement]


def test_without_the_first_one_nothing_can_be_compared(lab, files, tmp_path):
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"no model")
    with pytest.raises(MeasurementError, match="damaged, which everything is compared with"):
        lab.measure([contestant(damaged), contestant(files["one"])], QUICK, quiet)


def test_sessions_that_would_not_fit_together_are_measured_in_groups(lab, files):
    large = [
        Contestant(name, "onnxruntime", files["one"], BASIC, {"a": feed(4)}, 10**9)
        for name in ("float32", "b", "c")
    ]
    first, second, third = lab.measure(large, QUICK, quiet)
    assert second.samples[1, "a"].baseline_ms == first.samples[1, "a"].latency_ms or (
        third.samples[1, "a"].baseline_ms == first.samples[1, "a"].latency_ms
    )
    # Each is compared with the first one's turns of its own group.
    assert second.samples[1, "a"].baseline_ms != third.samples[1, "a"].baseline_ms


def test_answers_are_those_of_the_engine_at_home(lab, files):
    feeds = [feed(batch) for batch in (1, 5, 2)] * 40
    found = lab.outputs(contestant(files["twelve"]), feeds, quiet, threads=2)
    session = graph.loaded(files["twelve"].read_bytes(), BASIC)
    assert len(found) == 120
    for given, answer in zip(feeds, found, strict=True):
        (expected,) = session.run(None, dict(given))
        assert answer["y"].shape == expected.shape
        np.testing.assert_allclose(answer["y"], expected, atol=1e-4)


def test_whole_numbers_go_in_and_come_out_whole(lab, tmp_path):
    nodes = [
        helper.make_node("Cast", ["b"], ["wide"], to=TensorProto.INT64),
        helper.make_node("Add", ["a", "wide"], ["y"]),
    ]
    kinds = {"a": "int64", "b": "uint8", "y": "int64"}
    file = save(tmp_path / "add.onnx", nodes, kinds=kinds, size=2)
    given = {"a": np.array([[2**53 + 1, -5]]), "b": np.array([[255, 0]], np.uint8)}
    (answer,) = lab.outputs(contestant(file), [given], quiet)
    assert answer["y"].tolist() == [[2**53 + 256, -5]]


def test_what_fails_in_a_run_is_refused_and_the_next_one_goes_on(lab, files):
    wrong = [{"x": np.zeros((1, SIZE + 1), np.float32)}]
    refused = lab.outputs(contestant(files["one"]), wrong, quiet)
    assert isinstance(refused, Refusal)
    assert "257" in refused.reason
    assert len(lab.outputs(contestant(files["one"]), [feed(1)], quiet)) == 1


def test_whoever_listens_to_the_progress_can_end_it(lab, files):
    class EnoughError(Exception):
        pass

    def stop(words, share):
        if share and share > 0.3:
            raise EnoughError

    with pytest.raises(EnoughError):
        lab.measure([contestant(files["one"])], QUICK, stop)
    with pytest.raises(EnoughError):
        lab.outputs(contestant(files["one"]), [feed(1)] * 200, stop)
    (found,) = lab.measure([contestant(files["one"])], QUICK, quiet)  # and it works again
    assert isinstance(found, Measurement)


def test_versions_of_what_measured_are_told(lab, files):
    lab.outputs(contestant(files["one"]), [feed(1)], quiet)
    assert {"Chromium", "onnxruntime in the browser"} <= set(lab.versions)
