"""Graph steps keep a model's answers, and say so when they don't."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from satchel_models import graph, interface
from satchel_models.agreement import compare
from satchel_models.errors import NumericsError
from satchel_models.label_recipe import Export, Preprocess

EXPORT = Export(opset=18, trace=(8, 8), side_multiple=1, input="image", output="p", classes=5)
PREPROCESS = Preprocess(resize=10, crop=8, mean=127, scale=128.0)


@pytest.fixture
def network() -> onnx.ModelProto:
    """pixels → Conv → ReLU → mean → logits [batch, 5]; an idle initializer and descriptions."""
    weights = np.random.default_rng(3).standard_normal((5, 3, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["pixels", "w"], ["c"], name="first", doc_string="a note"),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("ReduceMean", ["r", "axes"], ["logits"], keepdims=0),
    ]
    made = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 5])],
        [
            numpy_helper.from_array(np.array([2, 3], np.int64), "axes"),
            numpy_helper.from_array(weights, "w"),
            numpy_helper.from_array(weights, "idle"),
        ],
        doc_string="another note",
    )
    imports = [helper.make_opsetid("unused", 1), helper.make_opsetid("", 18)]
    return helper.make_model(made, opset_imports=imports, ir_version=10)


def test_the_interface_normalises_and_gives_probabilities(network):
    image = np.random.default_rng(4).integers(0, 256, (2, 8, 9, 3), dtype=np.uint8)
    pixels = ((image.astype(np.float32) - 127) / 128).transpose(0, 3, 1, 2)
    logits = graph.run(network, {"pixels": pixels})
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = graph.run(interface.with_interface(network, EXPORT, PREPROCESS), {"image": image})
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_fusing_keeps_the_answers(network):
    pixels = np.random.default_rng(5).standard_normal((2, 3, 8, 8)).astype(np.float32)
    fused = graph.optimised(network)
    assert [node.op_type for node in fused.graph.node] == ["FusedConv", "ReduceMean"]
    before, after = graph.run(network, {"pixels": pixels}), graph.run(fused, {"pixels": pixels})
    assert graph.check_same("fused", before, after, 1e-5) <= 1e-5


def test_a_canonical_graph_says_nothing_but_what_it_computes(network):
    plain = graph.canonical(network)
    assert [tensor.name for tensor in plain.graph.initializer] == ["w", "axes"]
    assert [item.domain for item in plain.opset_import] == [""]
    text = str(plain)
    assert "note" not in text
    assert "first" not in text
    pixels = np.ones((1, 3, 8, 8), np.float32)
    before, after = graph.run(network, {"pixels": pixels}), graph.run(plain, {"pixels": pixels})
    np.testing.assert_array_equal(before, after)
    assert graph.canonical(plain) == plain


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ([[0.1, 0.9]], "moved by 0.1"),
        ([[0.2, np.nan]], "not finite"),
        ([[0.2]], "output shape"),
    ],
)
def test_moved_answers_are_refused_by_name(after, message):
    before = np.array([[0.2, 0.8]], np.float32)
    with pytest.raises(NumericsError, match=message) as error:
        graph.check_same("a step", before, np.array(after, np.float32), 1e-3)
    assert "a step" in str(error.value)


def test_agreement_counts_what_differs():
    before = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], np.float32)
    after = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]], np.float32)
    found = compare(np.array([0, 0, 0]), before, after)
    assert (found.count, found.disagreements) == (3, 1)
    assert found.top1_original == pytest.approx(2 / 3)
    assert found.top1 == pytest.approx(1 / 3)
    assert found.divergence == pytest.approx(0.2 * np.log(1.5) / 3, rel=1e-4)
    assert compare(np.array([0, 0, 1]), before, before).divergence == 0
