"""Weights stored small and computed with in float32.

A `DequantizeLinear` (or, for float16, `Cast`) in front of each weight gives it back; the engine
folds that while loading, so that the model runs exactly as fast as in float32. int8 has one scale
for each output channel of a Conv, ConvTranspose, Gemm, MatMul or recurrent layer (`rounding`);
tensors with few weights are better kept as float16: depthwise and early layers suffer most from
int8 and weigh next to nothing.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from satchel_models.graph import graphs
from satchel_models.quantisation import rounding

SMALLEST = 256
"""Weights of a tensor that is worth a node; biases and the like have fewer."""

OPSET = 13
"""The first with `DequantizeLinear` per channel."""

Kind = Literal["int8", "float16", "float32"]

_WEIGHT_INPUTS = {
    "Conv": (1,),
    "FusedConv": (1,),
    "ConvTranspose": (1,),
    "Gemm": (1,),
    "FusedGemm": (1,),
    "MatMul": (1,),
    "FusedMatMul": (1,),
    "Attention": (1,),
    "LSTM": (1, 2),
    "GRU": (1, 2),
    "RNN": (1, 2),
}
_HALF_MAX = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Weight:
    """A float32 tensor of a graph that can be stored small.

    Attributes:
        name: Of the initializer.
        operator: The first operator that uses it.
        size: How many numbers it has.
        axis: Of its output channels; None: no weight of a linear layer, so not for int8.
        half: Whether all its numbers lie within float16's range.
    """

    name: str
    operator: str
    size: int
    axis: int | None
    half: bool


@dataclass(frozen=True)
class Stored:
    """How many tensors of a model are stored in which way."""

    int8: int
    float16: int
    untouched: int


Rule = Callable[[Weight], Kind]
Packer = Callable[[NDArray[np.float32], int], tuple[NDArray[np.int8], NDArray[np.float32]]]


def up_to(half_up_to: int) -> Rule:
    """Weights of linear layers as int8; those of at most so many numbers as float16."""

    def rule(weight: Weight) -> Kind:
        if weight.axis is None:
            return "float32"
        return "float16" if weight.size <= half_up_to and weight.half else "int8"

    return rule


def halves(weight: Weight) -> Kind:
    """All as float16 that fits."""
    return "float16" if weight.half else "float32"


def quantised(model: onnx.ModelProto, half_up_to: int) -> tuple[onnx.ModelProto, Stored]:
    """`stored`, by `up_to`, and checked."""
    result, report = stored(model, up_to(half_up_to))
    onnx.checker.check_model(result)
    return result, report


def stored(
    model: onnx.ModelProto, rule: Rule, packer: Packer = rounding.packed
) -> tuple[onnx.ModelProto, Stored]:
    """`model` with its weights stored as a rule says.

    Args:
        model: A float32 graph; for int8, of opset 13 or later.
        rule: What becomes of each weight.
        packer: Makes int8 of a float32 tensor, given the axis of its channels.

    Returns:
        The new graph, and how its weights are stored.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    counts: dict[Kind, int] = {"int8": 0, "float16": 0, "float32": 0}
    for graph in graphs(result.graph):
        _store(graph, rule, packer, counts)
    return result, Stored(counts["int8"], counts["float16"], counts["float32"])


def weights(graph: onnx.GraphProto) -> dict[str, Weight]:
    """What can be stored small in a graph, by name; inner graphs' own apart."""
    axes = _weight_axes(graph)
    users = {name: node.op_type for node in reversed(graph.node) for name in node.input if name}
    found: dict[str, Weight] = {}
    for tensor in graph.initializer:
        size = int(np.prod(tensor.dims))
        if tensor.data_type != onnx.TensorProto.FLOAT or size < SMALLEST:
            continue
        largest = float(np.abs(numpy_helper.to_array(tensor)).max())
        operator = users.get(tensor.name, "")
        found[tensor.name] = Weight(
            tensor.name, operator, size, axes.get(tensor.name), largest < _HALF_MAX
        )
    return found


def _store(graph: onnx.GraphProto, rule: Rule, packer: Packer, counts: dict[Kind, int]) -> None:
    known = weights(graph)
    unpack: list[onnx.NodeProto] = []
    initializers: list[onnx.TensorProto] = []
    for tensor in graph.initializer:
        weight = known.get(tensor.name)
        kind = rule(weight) if weight else "float32"
        counts[kind] += 1
        if kind == "float32" or weight is None:
            initializers.append(tensor)
            continue
        values = numpy_helper.to_array(tensor)
        if kind == "float16":
            half = numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}.half")
            initializers.append(half)
            unpack.append(
                helper.make_node("Cast", [half.name], [tensor.name], to=onnx.TensorProto.FLOAT)
            )
        elif weight.axis is not None:
            packed, step = packer(values, weight.axis)
            small = numpy_helper.from_array(packed, f"{tensor.name}.int8")
            scale = numpy_helper.from_array(step, f"{tensor.name}.step")
            initializers += [small, scale]
            unpack.append(
                helper.make_node(
                    "DequantizeLinear", [small.name, scale.name], [tensor.name], axis=weight.axis
                )
            )
    # Where the first is used, not before what makes a photo pixels: read as it runs.
    at = _first_user(graph, {name for node in unpack for name in node.output})
    nodes = [*graph.node[:at], *unpack, *graph.node[at:]]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(initializers)


def _first_user(graph: onnx.GraphProto, names: set[str]) -> int:
    for place, node in enumerate(graph.node):
        inner = any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute)
        if inner or names.intersection(node.input):
            return place
    return 0


def _weight_axes(graph: onnx.GraphProto) -> dict[str, int]:
    """Output-channel axis of each initializer that only serves as a weight."""
    uses: dict[str, list[int | None]] = defaultdict(list)
    ranks = {tensor.name: len(tensor.dims) for tensor in graph.initializer}
    for inner in graphs(graph):
        for node in inner.node:
            for k, name in enumerate(node.input):
                if name in ranks:
                    is_weight = k in _WEIGHT_INPUTS.get(node.op_type, ()) and ranks[name] >= 2
                    uses[name].append(_axis(node, ranks[name]) if is_weight else None)
    axes: dict[str, int] = {}
    for name, found in uses.items():
        first = found[0]
        if first is not None and all(axis == first for axis in found):
            axes[name] = first
    return axes


def _axis(node: onnx.NodeProto, rank: int) -> int:
    given = {attribute.name: attribute for attribute in node.attribute}
    if node.op_type in ("MatMul", "FusedMatMul", "Attention"):
        return rank - 2 if "transB" in given and given["transB"].i else rank - 1
    if node.op_type in ("Gemm", "FusedGemm"):
        return 0 if "transB" in given and given["transB"].i else 1
    # [in, out, …], and [directions, gates × hidden, in]; else [out, in, …].
    return 1 if node.op_type in ("ConvTranspose", "LSTM", "GRU", "RNN") else 0
