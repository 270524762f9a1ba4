"""Weight-only int8: weights are stored small and computed with in float32.

A `DequantizeLinear` (or, for float16, `Cast`) in front of each weight gives it back; the engine
folds that while loading, so that the model runs exactly as fast as in float32. Per output
channel of a Conv, Gemm or MatMul:

1. The scale is the one with the least squared error, not the one that fits the largest weight
   (`scales`).
2. Roundings are balanced: those nearest to a tie go the other way until the channel's errors sum
   to zero within half a step (`balanced`). What a layer reads after a ReLU is positive, so an
   unbalanced sum shifts the whole channel. It is the bias correction of Nagel et al. 2019
   (arxiv.org/abs/1906.04721) without the statistics of activations that theirs needs.
3. Tensors with few weights are kept as float16: depthwise and early layers suffer most from
   int8 and weigh next to nothing.

Mean divergence from float32 on EfficientNet-lite0 (`satchel_models.agreement`, 500 photos, nats):
scales alone 0.0065, with balancing 0.0022, with float16 up to 12,000 weights as well 0.0010.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

STEPS = 127  # symmetric: −127 … 127, zero is zero
# Fractions of the largest weight that are tried as the end of the scale. EfficientNet-lite0 takes
# none below 0.97; the coarse part is for channels with outliers.
SCALE_FRACTIONS = np.concatenate(
    [np.linspace(0.4, 0.9, 50, endpoint=False), np.linspace(0.9, 1.0, 201)]
)
# Biases and the like: too small to be worth a node.
SMALLEST = 256  # weights

_WEIGHT_INPUT = {"Conv": 1, "FusedConv": 1, "Gemm": 1, "MatMul": 1}


@dataclass(frozen=True)
class Stored:
    """How many tensors of a model are stored in which way."""

    int8: int
    float16: int
    untouched: int


def scales(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The step of each channel that minimises the squared rounding error.

    Args:
        weights: float32 [channels, n].

    Returns:
        float32 [channels], positive; 1 for a channel of zeros.

    >>> scales(np.array([[0.5, -1.27], [0.0, 0.0]], np.float32))
    array([0.01, 1.  ], dtype=float32)
    """
    largest = np.abs(weights).max(axis=1) / np.float32(STEPS)
    # Float32 cannot divide by a subnormal step; such weights are zero for any purpose.
    largest = np.where(largest < np.finfo(np.float32).tiny, np.float32(1), largest)
    best, least = largest, np.full(len(weights), np.inf)
    for fraction in SCALE_FRACTIONS[::-1]:
        step = (largest * fraction).astype(np.float32)
        error = squared_error(weights, _rounded(weights, step), step)
        better = error < least
        best, least = np.where(better, step, best), np.where(better, error, least)
    return best.astype(np.float32)


def balanced(weights: NDArray[np.float32], step: NDArray[np.float32]) -> NDArray[np.int8]:
    """Weights as multiples of `step`, rounded so that each channel's errors sum to about zero.

    Args:
        weights: float32 [channels, n].
        step: float32 [channels], positive.

    Returns:
        int8 [channels, n], −127 … 127. No weight moves by more than one step from its nearest.

    >>> balanced(np.array([[1.4, 1.4, 1.3, 0.1]], np.float32), np.ones(1, np.float32))
    array([[2, 1, 1, 0]], dtype=int8)
    """
    values = _rounded(weights, step)
    remainder = weights / step[:, None] - values
    for channel, surplus in enumerate(np.rint(remainder.sum(axis=1)).astype(int)):
        direction = int(np.sign(surplus))
        movable = np.abs(values[channel] + direction) <= STEPS
        # Stable, so that ties fall alike on every machine.
        nearest_tie = np.argsort(
            np.where(movable, -direction * remainder[channel], np.inf), kind="stable"
        )
        chosen = nearest_tie[: min(abs(surplus), int(movable.sum()))]
        values[channel, chosen] += direction
    return values.astype(np.int8)


def squared_error(
    weights: NDArray[np.float32], values: NDArray[np.generic], step: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Sum of squared errors of each channel, [channels]."""
    error = weights.astype(np.float64) - values.astype(np.float64) * step[:, None]
    result: NDArray[np.float64] = (error**2).sum(axis=1)
    return result


def quantised(model: onnx.ModelProto, half_up_to: int) -> tuple[onnx.ModelProto, Stored]:
    """`model` with the weights of Conv, FusedConv, Gemm and MatMul stored small.

    Args:
        model: A float32 graph, opset 13 or later (DequantizeLinear per channel).
        half_up_to: Tensors of at most this many weights become float16 instead of int8.

    Returns:
        The new graph, and how its weights are stored.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    axes = _weight_axes(graph)
    unpack: list[onnx.NodeProto] = []
    initializers: list[onnx.TensorProto] = []
    halves = 0
    for tensor in graph.initializer:
        axis = axes.get(tensor.name)
        values = numpy_helper.to_array(tensor)
        if axis is None or values.dtype != np.float32 or values.size < SMALLEST:
            initializers.append(tensor)
        elif values.size <= half_up_to and np.abs(values).max() < np.finfo(np.float16).max:
            halves += 1
            half = numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}.half")
            initializers.append(half)
            to_float = helper.make_node(
                "Cast", [half.name], [tensor.name], to=onnx.TensorProto.FLOAT
            )
            unpack.append(to_float)
        else:
            packed, step = _pack(values, axis)
            stored = numpy_helper.from_array(packed, f"{tensor.name}.int8")
            scale = numpy_helper.from_array(step, f"{tensor.name}.step")
            initializers += [stored, scale]
            unpack.append(
                helper.make_node(
                    "DequantizeLinear", [stored.name, scale.name], [tensor.name], axis=axis
                )
            )
    report = Stored(len(unpack) - halves, halves, len(graph.initializer) - len(unpack))
    nodes = [*unpack, *graph.node]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(initializers)
    onnx.checker.check_model(result)
    return result, report


def _pack(values: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    rows = np.moveaxis(values, axis, 0)
    flat = np.ascontiguousarray(rows).reshape(len(rows), -1)
    step = scales(flat)
    packed = np.moveaxis(balanced(flat, step).reshape(rows.shape), 0, axis)
    return np.ascontiguousarray(packed), step


def _rounded(weights: NDArray[np.float32], step: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = np.clip(np.rint(weights / step[:, None]), -STEPS, STEPS)
    return result


def _weight_axes(graph: onnx.GraphProto) -> dict[str, int]:
    """Output-channel axis of each initializer that only serves as a weight."""
    uses: dict[str, list[int | None]] = defaultdict(list)
    ranks = {tensor.name: len(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        for k, name in enumerate(node.input):
            if name not in ranks:
                continue
            is_weight = _WEIGHT_INPUT.get(node.op_type) == k and ranks[name] >= 2
            uses[name].append(_axis(node, ranks[name]) if is_weight else None)
    axes: dict[str, int] = {}
    for name, found in uses.items():
        first = found[0]
        if first is not None and all(axis == first for axis in found):
            axes[name] = first
    return axes


def _axis(node: onnx.NodeProto, rank: int) -> int:
    if node.op_type == "MatMul":
        return rank - 1
    if node.op_type == "Gemm":
        return 0 if any(a.name == "transB" and a.i for a in node.attribute) else 1
    return 0
