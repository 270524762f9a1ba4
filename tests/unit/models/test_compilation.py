"""A candidate is released with what a device needs to fetch, to check and to call it."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from satchel import chunks, golden
from satchel_models.compilation import EXACT, ROUNDING, compiled
from satchel_models.errors import NumericsError
from satchel_models.recipe import Session
from satchel_models.steps import Candidate, Spec

BASIC = Session("basic", {"session.disable_quant_qdq": "1"})


def save(path, nodes, constants=(), shape=("batch", 4)):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path.write_bytes(model.SerializeToString())
    return Candidate("small", "onnxruntime", path, BASIC, path.stat().st_size, "made here")


@pytest.fixture
def candidate(tmp_path):
    weight = np.random.default_rng(0).normal(size=(4, 300)).astype(np.float32)
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return save(tmp_path / "model.onnx", [node], [("w", weight)])


FEEDS = [{"x": np.random.default_rng(n).normal(size=(1, 4)).astype(np.float32)} for n in range(5)]


def test_the_chunk_index_and_the_golden_set_belong_to_the_file(candidate, tmp_path):
    made = compiled(candidate, tmp_path, FEEDS)
    content = made.file.read_bytes()
    assert content == candidate.file.read_bytes()
    assert sum(one.size for one in chunks.decode(made.chunks.read_bytes(), len(content))) > 0
    checks = golden.decode(made.golden.read_bytes())
    weight = numpy_helper.to_array(onnx.load_from_string(content).graph.initializer[0])
    assert len(checks.cases) == 3
    for case in checks.cases:
        np.testing.assert_allclose(case.outputs["y"], case.inputs["x"] @ weight, rtol=1e-5)
    assert checks.tolerance == EXACT


def test_inputs_and_outputs_are_told_with_their_dynamic_axes(candidate, tmp_path):
    made = compiled(candidate, tmp_path, FEEDS)
    assert made.inputs == (Spec("x", "float32", ("batch", 4)),)
    assert made.outputs == (Spec("y", "float32", ("batch", 300)),)
    assert made.nodes == 1
    assert 0 < made.brotli < candidate.size


def test_a_file_that_rounds_its_activations_gets_a_wider_tolerance(tmp_path):
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"]),
    ]
    made = compiled(save(tmp_path / "rounding.onnx", nodes), tmp_path, FEEDS)
    assert golden.decode(made.golden.read_bytes()).tolerance == ROUNDING


def test_a_file_without_finite_answers_is_not_compiled(tmp_path):
    nodes = [helper.make_node("Log", ["x"], ["y"])]
    candidate = save(tmp_path / "log.onnx", nodes)
    with pytest.raises(NumericsError, match=r"small isn't fit for a release.*not finite"):
        compiled(candidate, tmp_path, FEEDS)


WEIGHT = np.random.default_rng(0).normal(size=(4, 300)).astype(np.float32)


@pytest.fixture
def tflite_files():
    return pytest.importorskip("tflite_files")


def for_litert(path, content):
    path.write_bytes(content)
    return Candidate("small", "litert", path, BASIC, len(content), "made here")


def test_a_file_for_litert_gets_its_golden_set_from_litert(tflite_files, tmp_path):
    content = tflite_files.products([WEIGHT])
    made = compiled(for_litert(tmp_path / "model.tflite", content), tmp_path, FEEDS)
    assert made.file.name == "small.tflite"
    assert made.file.read_bytes() == content
    assert chunks.decode(made.chunks.read_bytes(), len(content))
    assert made.inputs == (Spec("x", "float32", (1, 4)),)
    assert made.outputs == (Spec("y", "float32", (1, 300)),)
    assert made.nodes == 1
    assert 0 < made.brotli <= len(content)
    checks = golden.decode(made.golden.read_bytes())
    assert (len(checks.cases), checks.tolerance) == (3, EXACT)
    for case in checks.cases:
        np.testing.assert_allclose(case.outputs["y"], case.inputs["x"] @ WEIGHT, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "tolerance"),
    [("rounded", ROUNDING), ("stored_small", EXACT)],
)
def test_only_what_computes_in_int8_gets_the_wider_tolerance(
    make, tolerance, tflite_files, tmp_path
):
    content = getattr(tflite_files, make)(WEIGHT)
    candidate = for_litert(tmp_path / "model.tflite", content)
    made = compiled(candidate, tmp_path, FEEDS)
    assert golden.decode(made.golden.read_bytes()).tolerance == tolerance


def test_the_same_candidate_gives_the_same_bytes(candidate, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first, second = (compiled(candidate, tmp_path / name, FEEDS) for name in ("a", "b"))
    assert first.golden.read_bytes() == second.golden.read_bytes()
    assert first.chunks.read_bytes() == second.chunks.read_bytes()
    assert replace(first, file=second.file, chunks=second.chunks, golden=second.golden) == second
