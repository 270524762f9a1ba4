"""Weights stored small stay as close to the original as eight bits allow."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from satchel_models import graph
from satchel_models.quantisation import rounding, storage

SEED = 7


def random_weights(channels: int, size: int, seed: int = SEED) -> np.ndarray:
    generator = np.random.default_rng(seed)
    heavy_tailed = generator.standard_t(3, (channels, size)) * 0.1
    return heavy_tailed.astype(np.float32)


def largest_scales(weights: np.ndarray) -> np.ndarray:
    return (np.abs(weights).max(axis=1) / rounding.STEPS).astype(np.float32)


def nearest(weights: np.ndarray, step: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(weights / step[:, None]), -rounding.STEPS, rounding.STEPS)


@given(st.integers(1, 6), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_the_error_is_never_worse_than_with_the_largest_weight_as_scale(channels, size, seed):
    weights = random_weights(channels, size, seed)
    ours, naive = rounding.scales(weights), largest_scales(weights)
    error = rounding.squared_error(weights, nearest(weights, ours), ours)
    naive_error = rounding.squared_error(weights, nearest(weights, naive), naive)
    assert (error <= naive_error).all()


def test_an_outlier_does_not_coarsen_its_channel():
    weights = np.linspace(-0.01, 0.01, 40_000, dtype=np.float32)[None].copy()
    weights[0, 0] = 0.02
    ours, naive = rounding.scales(weights), largest_scales(weights)
    error = rounding.squared_error(weights, nearest(weights, ours), ours)
    naive_error = rounding.squared_error(weights, nearest(weights, naive), naive)
    assert error[0] < 0.9 * naive_error[0]


@given(st.integers(1, 6), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_a_channels_errors_sum_to_at_most_half_a_step(channels, size, seed):
    weights = random_weights(channels, size, seed)
    # The largest weight as scale clips nothing, so that the sum can always be balanced.
    step = largest_scales(weights)
    values = rounding.balanced(weights, step)
    total = (weights / step[:, None] - values).sum(axis=1)
    limited = (np.abs(values) == rounding.STEPS).sum(axis=1)
    assert (np.abs(total) <= 0.5 + 1e-3 + limited).all()


@given(st.integers(1, 6), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_balancing_moves_no_weight_by_more_than_one_step(channels, size, seed):
    weights = random_weights(channels, size, seed)
    step = rounding.scales(weights)
    moved = rounding.balanced(weights, step) - nearest(weights, step)
    assert np.abs(moved).max() <= 1


def test_a_channel_of_zeros_stays_zero():
    weights = np.zeros((2, 9), np.float32)
    weights[1] = 1e-42  # subnormal: a step made of it could not be divided by
    step = rounding.scales(weights)
    assert (step > 0).all()
    assert not rounding.balanced(weights, step).any()


def convolution(weights: np.ndarray, **attributes: int) -> onnx.ModelProto:
    """A graph of one Conv (with bias) on [n, c, h, w]."""
    channels = weights.shape[1] * attributes.get("group", 1)
    bias = np.linspace(-1, 1, len(weights), dtype=np.float32)
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"], **attributes)
    made = helper.make_graph(
        [node],
        "conv",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", channels, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", len(weights), "oh", "ow"])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


@pytest.mark.parametrize(("half_up_to", "limit"), [(0, 0.05), (10**6, 0.002)])
def test_a_quantised_convolution_answers_like_the_original(half_up_to, limit):
    weights = random_weights(16, 8 * 9).reshape(16, 8, 3, 3)
    model = convolution(weights)
    small, stored = storage.quantised(model, half_up_to)
    assert (stored.int8, stored.float16) == ((1, 0) if half_up_to == 0 else (0, 1))
    assert stored.untouched == 1  # the bias
    x = np.random.default_rng(SEED).standard_normal((2, 8, 6, 5)).astype(np.float32)
    before, after = graph.run(model, {"x": x}), graph.run(small, {"x": x})
    assert np.abs(before - after).max() / before.std() < limit


def test_weights_too_large_for_float16_become_int8():
    weights = random_weights(16, 8 * 9).reshape(16, 8, 3, 3) * np.float32(1e6)
    _, stored = storage.quantised(convolution(weights), half_up_to=10**6)
    assert (stored.int8, stored.float16) == (1, 0)


@pytest.mark.parametrize("transposed", [0, 1])
def test_the_scales_of_a_gemm_follow_its_output_channels(transposed):
    weights = random_weights(30, 20) * np.geomspace(1, 1000, 30, dtype=np.float32)[:, None]
    stored = weights if transposed else np.ascontiguousarray(weights.T)
    node = helper.make_node("Gemm", ["x", "w"], ["y"], transB=transposed)
    made = helper.make_graph(
        [node],
        "gemm",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 20])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 30])],
        [numpy_helper.from_array(stored, "w")],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    small, _ = storage.quantised(model, half_up_to=0)
    x = np.random.default_rng(SEED).standard_normal((50, 20)).astype(np.float32)
    before, after = graph.run(model, {"x": x}), graph.run(small, {"x": x})
    # Each output by its own size: a scale per tensor would drown the small ones.
    assert (np.abs(before - after).max(axis=0) / before.std(axis=0) < 0.05).all()


def test_a_weight_that_is_also_used_elsewhere_is_left_alone():
    weights = random_weights(20, 20)
    made = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["z"]),
            helper.make_node("Add", ["z", "w"], ["y"]),
        ],
        "shared",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [20, 20])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [20, 20])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    small, stored = storage.quantised(model, half_up_to=0)
    assert (stored.int8, stored.float16, stored.untouched) == (0, 0, 1)
    assert small.graph == model.graph
