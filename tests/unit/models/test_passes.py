"""Graph passes leave fewer nodes, the same answers, and a note where one had to be undone."""

import itertools

import networks
import numpy as np
import onnx
import pytest
from onnx import helper

from satchel_models import graph, native
from satchel_models.errors import GraphError
from satchel_models.passes import fused, optimise, plan
from satchel_models.passes.plan import Planned
from satchel_models.steps import Graph

LEVELS = ("fast", "balanced", "aggressive")
NAMED = {
    "eliminate_identity",
    "eliminate_nop_transpose",
    "fuse_bn_into_conv",
    "fuse_add_bias_into_conv",
}


def optimised(model: onnx.ModelProto, folder, feeds, level="balanced") -> Graph:
    given = networks.converted(model, folder)
    return optimise(given, folder, level, feeds, networks.silent)


def answers(result: Graph, feeds):
    session = native.loaded("it", result.file.read_bytes(), result.session)
    return native.answers("it", session, feeds)


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_runs_the_named_passes_and_keeps_the_answers(tmp_path, level):
    model, feeds = networks.convolutional(), networks.images()
    result = optimised(model, tmp_path, feeds, level)
    assert {one.name for one in result.passes} >= NAMED
    kinds = [node.op_type for node in onnx.load(result.file).graph.node]
    assert kinds == ["FusedConv", "FusedConv", "GlobalAveragePool", "Flatten", "Gemm"]
    before = native.answers("it", graph.session(model.SerializeToString(), "disabled"), feeds)
    assert native.largest_difference(before, answers(result, feeds)) < 1e-4


def test_each_level_has_all_the_passes_of_the_one_before():
    names = [[planned.name for planned in plan.PLANS[level]] for level in LEVELS]
    for smaller, larger in itertools.pairwise(names):
        assert [name for name in larger if name in smaller] == smaller
        assert len(larger) > len(smaller)


def test_passes_tell_the_nodes_that_they_found_and_left(tmp_path):
    passes = optimised(networks.convolutional(), tmp_path, networks.images()).passes
    by_name = {one.name: one for one in passes}
    assert (by_name["eliminate_identity"].before, by_name["eliminate_identity"].after) == (11, 10)
    assert by_name["eliminate_nop_transpose"].after == 9
    assert passes[0].before == 11
    assert all(a.after == b.before for a, b in itertools.pairwise(passes))


def test_functions_of_a_graphs_own_are_inlined(tmp_path):
    model = networks.convolutional()
    body = [helper.make_node("Relu", ["x"], ["y"])]
    imports = [helper.make_opsetid("", 18)]
    model.functions.append(helper.make_function("own", "Ramp", ["x"], ["y"], body, imports))
    model.opset_import.append(helper.make_opsetid("own", 1))
    for node in model.graph.node:
        if node.op_type == "Relu":
            node.op_type, node.domain = "Ramp", "own"
    result = optimised(model, tmp_path, networks.images())
    assert result.passes[0].name == "inline-functions"
    assert len(onnx.load(result.file).graph.node) == 5


def test_the_plain_graph_has_standard_operators_only(tmp_path):
    result = optimised(networks.transformer(), tmp_path, networks.texts())
    assert {node.domain for node in onnx.load(result.plain).graph.node} == {""}
    assert "com.microsoft" in {node.domain for node in onnx.load(result.file).graph.node}


def test_the_same_graph_gives_the_same_bytes(tmp_path):
    made = [
        optimised(networks.transformer(), tmp_path / str(k), networks.texts()) for k in range(2)
    ]
    assert made[0].file.read_bytes() == made[1].file.read_bytes()
    assert made[0].plain.read_bytes() == made[1].plain.read_bytes()


def doubled(model: onnx.ModelProto) -> onnx.ModelProto:
    """A pass that is wrong."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    output = result.graph.output[0].name
    result.graph.node[-1].output[0] = "half"
    result.graph.node.append(helper.make_node("Add", ["half", "half"], [output]))
    return result


def unloadable(model: onnx.ModelProto) -> onnx.ModelProto:
    result = onnx.ModelProto()
    result.CopyFrom(model)
    result.graph.node[-1].op_type = "Nonsense"
    return result


def failing(model: onnx.ModelProto) -> onnx.ModelProto:
    raise RuntimeError("out of ideas")


@pytest.mark.parametrize(
    ("transform", "why"),
    [(doubled, "moves an output"), (unloadable, "doesn't load"), (failing, "out of ideas")],
)
def test_a_pass_that_does_harm_is_undone_and_noted(tmp_path, monkeypatch, transform, why):
    bad = Planned("bad", transform)
    monkeypatch.setitem(plan.PLANS, "fast", (bad, *plan.PLANS["fast"]))
    feeds = networks.images()
    result = optimised(networks.convolutional(), tmp_path, feeds, "fast")
    assert why in result.passes[0].undone
    assert result.passes[0].before == result.passes[0].after
    assert any("bad was undone" in note for note in result.notes)
    assert len(onnx.load(result.file).graph.node) == 5


def test_approximate_gelu_is_for_aggressive_only_and_stays_near(tmp_path):
    feeds = networks.texts()
    exact = optimised(networks.transformer(), tmp_path / "a", feeds, "balanced")
    near = optimised(networks.transformer(), tmp_path / "b", feeds, "aggressive")
    kinds = [{n.op_type for n in onnx.load(g.file).graph.node} for g in (exact, near)]
    assert ["FastGelu" in found for found in kinds] == [False, True]
    moved = native.largest_difference(answers(exact, feeds), answers(near, feeds))
    assert 0 < moved < 0.01
    again = fused(near, onnx.load(near.plain))
    assert "FastGelu" in {node.op_type for node in again.graph.node}


def test_inner_graphs_survive(tmp_path):
    w = networks.Weights()
    w.fixed("small", np.float32(0))
    branches = {
        name: helper.make_graph(
            [
                helper.make_node("MatMul", ["x", f"{name}.w"], [f"{name}.p"]),
                helper.make_node("Add", [f"{name}.p", "outer"], [f"{name}.y"]),
            ],
            name,
            [],
            [helper.make_tensor_value_info(f"{name}.y", onnx.TensorProto.FLOAT, ["n", 16])],
            [onnx.numpy_helper.from_array(np.full((16, 16), value, np.float32), f"{name}.w")],
        )
        for name, value in (("then", 1), ("other", 2))
    }
    nodes = [
        helper.make_node("MatMul", ["x", w("first", 16, 16)], ["outer"]),
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Less", ["sum", "small"], ["negative"]),
        helper.make_node(
            "If", ["negative"], ["y"], then_branch=branches["then"], else_branch=branches["other"]
        ),
    ]
    model = networks.model(nodes, {"x": ["n", 16]}, {"y": ["n", 16]}, w)
    feeds = [{"x": np.full((1, 16), sign, np.float32)} for sign in (-1, 1)]
    before = native.answers("it", graph.session(model.SerializeToString(), "disabled"), feeds)
    result = optimised(model, tmp_path, feeds)
    assert not any(one.undone for one in result.passes)
    assert native.largest_difference(before, answers(result, feeds)) < 1e-4


def test_inputs_that_do_not_fit_are_an_error_that_says_so(tmp_path):
    with pytest.raises(GraphError, match="doesn't run"):
        optimised(networks.convolutional(), tmp_path, networks.texts())
