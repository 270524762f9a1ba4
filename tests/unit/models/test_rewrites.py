"""Rewrites for the engine's WASM build: the same answers, said otherwise, only where they fit."""

import networks
import numpy as np
import onnx
import pytest
from onnx import helper

from satchel_models import graph, native
from satchel_models.passes import activations, fused, optimise, positions

EXACT = 1e-6


def small(nodes, inputs, outputs, constants=(), opset=17):
    weights = networks.Weights(0)
    for name, values in dict(constants).items():
        weights.fixed(name, np.asarray(values))
    return networks.model(nodes, inputs, outputs, weights, opset)


def node(kind, *names, **attributes):
    *inputs, output = names
    return helper.make_node(kind, inputs, [output], **attributes)


def kinds(model):
    return [one.op_type for one in model.graph.node]


def moved(model, changed, feeds):
    """The largest difference, as a share of an output's largest value."""
    before, after = (
        native.answers("it", graph.session(one.SerializeToString(), "disabled"), [feeds])
        for one in (model, changed)
    )
    return native.relative_difference(before, after)


def draw(*shape, scale=1.0):
    values = np.random.default_rng(1).normal(0, scale, shape)
    return values.astype(np.float32)


def image(*shape, scale=1.0):
    return {"x": draw(*shape, scale=scale)}


# Hard swish

BOUNDS = {"three": np.float32(3), "zero": np.float32(0), "six": np.float32(6)}
CLIPPED = [node("Add", "x", "three", "a"), node("Clip", "a", "zero", "six", "c")]


def hard(*nodes, outputs=("y",), **constants):
    values = BOUNDS | {name: np.float32(value) for name, value in constants.items()}
    inputs = {"x": ["n", 4]}
    return small([*CLIPPED, *nodes], inputs, {name: ["n", 4] for name in outputs}, values)


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Mul", "x", "c", "m"), node("Div", "m", "six", "y")],
        [node("Mul", "c", "x", "m"), node("Mul", "sixth", "m", "y")],
        [node("Div", "c", "six", "d"), node("Mul", "d", "x", "y")],
        [node("Mul", "c", "sixth", "d"), node("Mul", "x", "d", "y")],
    ],
)
def test_hard_swish_is_said_by_one_operator_and_a_product(nodes):
    model = hard(*nodes, sixth=1 / 6)
    changed = activations.hard_swish(model)
    assert kinds(changed) == ["HardSigmoid", "Mul"]
    assert moved(model, changed, image(50, 4, scale=4)) < EXACT


@pytest.mark.parametrize(
    "model",
    [
        hard(node("Div", "c", "five", "y"), five=5),
        hard(node("Mul", "c", "six", "y")),
        hard(node("Div", "six", "c", "y")),
        hard(node("Mul", "x", "c", "m"), node("Div", "m", "six", "y"), outputs=("y", "m")),
    ],
    ids=["another divisor", "times six", "divides by it", "the product is an output"],
)
def test_what_only_looks_like_hard_swish_stays(model):
    assert activations.hard_swish(model) is model


def test_what_else_needs_the_clipped_values_still_has_them():
    model = hard(node("Div", "c", "six", "y"), node("Neg", "c", "z"), outputs=("y", "z"))
    changed = activations.hard_swish(model)
    assert sorted(kinds(changed)) == ["Add", "Clip", "HardSigmoid", "Neg"]
    assert moved(model, changed, image(50, 4, scale=4)) < EXACT


# GELU

FUSED = {"domain": "com.microsoft"}


def gelu(*nodes):
    model = small(nodes, {"x": ["n", 4]}, {"y": ["n", 4]}, {"bias": draw(4)}, opset=20)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return model


@pytest.mark.parametrize(
    "one", [node("Gelu", "x", "y", **FUSED), node("BiasGelu", "x", "bias", "y", **FUSED)]
)
def test_gelu_by_sigmoid_is_near_the_exact_one_everywhere(one):
    model = gelu(one)
    changed = activations.gelu_by_sigmoid(model)
    assert "Sigmoid" in kinds(changed)
    assert one.op_type not in kinds(changed)
    wide = np.linspace(-60, 60, 40_000, dtype=np.float32).reshape(-1, 4)
    before, after = (
        graph.session(m.SerializeToString(), "disabled").run(None, {"x": wide})[0]
        for m in (model, changed)
    )
    np.testing.assert_allclose(after, before, rtol=1e-6, atol=3e-5)


def test_gelu_that_is_approximated_already_stays():
    model = gelu(node("Gelu", "x", "y", approximate="tanh"))
    assert activations.gelu_by_sigmoid(model) is model


# Means

IMAGE = {"x": ["n", 6, "h", "w"]}


def mean(axes, shape=None, keepdims=1, opset=17):
    inputs = {"x": shape or IMAGE["x"]}
    rank = len(inputs["x"]) if keepdims else 2
    given = {"axes": axes} if opset < 18 else {}
    names = ["x", "y"] if opset < 18 else ["x", "axes", "y"]
    constants = {} if opset < 18 else {"axes": np.array(axes, np.int64)}
    nodes = [node("ReduceMean", *names, keepdims=keepdims, **given)]
    return small(nodes, inputs, {"y": [None] * rank}, constants, opset)


@pytest.mark.parametrize("axes", [[2, 3], [-1, -2]])
@pytest.mark.parametrize("opset", [17, 18])
def test_a_mean_over_whole_images_is_a_pooling(axes, opset):
    model = mean(axes, opset=opset)
    changed = positions.mean_pooling(model)
    assert kinds(changed) == ["GlobalAveragePool"]
    assert moved(model, changed, image(2, 6, 5, 7)) < EXACT


@pytest.mark.parametrize(
    "model",
    [mean([1]), mean([2]), mean([2, 3], keepdims=0), mean([2], ["n", 5, 8]), mean([-1], ["n", 8])],
    ids=["channels", "rows", "axes are lost", "a normalisation's", "rows of a matrix"],
)
def test_other_means_stay(model):
    assert positions.mean_pooling(model) is model


# Convolutions


def convolution(shape, filters, taps, *after, bias=True, batch="n", **attributes):
    channels = shape[0]
    weights = draw(filters, channels, *taps, scale=1 / (channels * np.prod(taps)) ** 0.5)
    constants = {"w": weights, "b": draw(filters)}
    names = ["x", "w", "b"] if bias else ["x", "w"]
    nodes = [node("Conv", *names, "c" if after else "y", **attributes), *after]
    return small(nodes, {"x": [batch, *shape]}, {"y": [None] * (1 + len(shape))}, constants)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    "model",
    [
        convolution((64, 4), 32, (3,), pads=[1, 1]),
        convolution((64, 5), 32, (3,), pads=[1, 1], strides=[2]),
        convolution((64, 2), 32, (3,), pads=[1, 1], strides=[2], bias=False),
        convolution((64, 1), 32, (3,), pads=[1, 1]),
        convolution((64, 4), 32, (4,)),
        convolution((64, 4), 32, (1,)),
        convolution((1, 640), 32, (256,), strides=[128]),
        convolution((1, 700), 32, (256,), strides=[100]),
        convolution((1, 600), 32, (256,), strides=[128], pads=[20, 20]),
        convolution((64, 1, 1), 32, (1, 1)),
    ],
)
def test_a_convolution_over_few_positions_is_a_product(model, batch):
    changed = positions.products(model)
    onnx.checker.check_model(changed, full_check=True)
    assert "Gemm" in kinds(changed)
    assert "Conv" not in kinds(changed)
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim[1:]]
    assert moved(model, changed, image(batch, *shape)) < EXACT


def test_an_activation_stays_right_behind_its_product():
    model = convolution((64, 4), 32, (3,), node("LeakyRelu", "c", "y", alpha=0.2), pads=[1, 1])
    changed = positions.products(model)
    after = kinds(changed)[kinds(changed).index("Gemm") + 1 :]
    assert after == ["LeakyRelu", "Reshape", "Transpose"]
    assert moved(model, changed, image(2, 64, 4)) < EXACT


def test_a_convolution_that_is_read_twice_keeps_its_value_beside_the_activation():
    after = [node("Relu", "c", "r"), node("Add", "r", "c", "y")]
    model = convolution((64, 4), 32, (3,), *after, pads=[1, 1])
    changed = positions.products(model)
    assert "Conv" not in kinds(changed)
    assert moved(model, changed, image(2, 64, 4)) < EXACT


@pytest.mark.parametrize(
    "model",
    [
        convolution((64, 40), 32, (3,)),
        convolution((64, None), 32, (3,)),
        convolution((64, 4), 2, (3,), pads=[1, 1]),
        convolution((8, 4), 8, (3,), pads=[1, 1]),
        convolution((64, 5), 32, (2,), dilations=[2]),
        convolution((64, 4), 64, (3,), auto_pad="SAME_UPPER"),
        convolution((64, 5, 5), 32, (1, 1)),
        convolution((64, 1, 1), 32, (3, 3), pads=[1, 1, 1, 1]),
    ],
    ids=[
        *("many positions", "an unknown length", "few filters", "few weights"),
        *("dilated", "padded by itself", "an image", "a wide kernel"),
    ],
)
def test_other_convolutions_stay(model):
    assert positions.products(model) is model


def test_a_grouped_convolution_stays():
    nodes = [node("Conv", "x", "w", "y", group=2, pads=[1, 1])]
    constants = {"w": draw(64, 32, 3)}
    model = small(nodes, {"x": ["n", 64, 4]}, {"y": ["n", 64, 4]}, constants)
    assert positions.products(model) is model


# Together


def mobile(side=8):
    """Hard swish, and squeeze and excitation by a mean and two pointwise convolutions."""
    w = networks.Weights(1)
    for name, value in BOUNDS.items():
        w.fixed(name, value)
    nodes = [
        node("Conv", "x", w("stem", 64, 3, 3, 3), "s", pads=[1, 1, 1, 1]),
        node("Add", "s", "three", "a"),
        node("Clip", "a", "zero", "six", "c"),
        node("Mul", "s", "c", "m"),
        node("Div", "m", "six", "h"),
        node("ReduceMean", "h", "p", axes=[2, 3]),
        node("Conv", "p", w("less", 32, 64, 1, 1), w("b", 32), "l"),
        node("Relu", "l", "r"),
        node("Conv", "r", w("more", 64, 32, 1, 1), w("d", 64), "e"),
        node("HardSigmoid", "e", "g", alpha=1 / 6, beta=0.5),
        node("Mul", "h", "g", "y"),
    ]
    return networks.model(nodes, {"x": ["n", 3, side, side]}, {"y": ["n", 64, side, side]}, w, 17)


def test_balanced_rewrites_what_fast_leaves(tmp_path):
    feeds = [image(1, 3, 8, 8)]
    found = {}
    for level in ("fast", "balanced"):
        given = networks.converted(mobile(), tmp_path / level)
        result = optimise(given, tmp_path / level, level, feeds, networks.silent)
        assert not [one for one in result.passes if one.undone]
        found[level] = kinds(onnx.load(result.file))
    assert "Clip" in found["fast"]
    assert not {"Clip", "Div", "ReduceMean"}.intersection(found["balanced"])
    assert found["balanced"].count("FusedGemm") + found["balanced"].count("Gemm") == 2
    # What turns the tensors round between the two products cancels out.
    assert found["balanced"].count("Reshape") == 2


def test_a_quantised_transformer_gets_the_gelu_of_its_float_graph(tmp_path):
    model = networks.transformer()
    given = networks.converted(model, tmp_path)
    result = optimise(given, tmp_path, "balanced", networks.texts(), networks.silent)
    taken = {one.name for one in result.passes if not one.undone}
    assert "gelu-by-sigmoid" in taken
    again = kinds(fused(result, onnx.load(result.plain)))
    for found in (again, kinds(onnx.load(result.file))):
        assert "Sigmoid" in found
        assert not {"Gelu", "BiasGelu", "Erf"}.intersection(found)
