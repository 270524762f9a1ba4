"""What each weight costs when it alone is stored as int8.

One session answers for all: a weight that is an input, too, can be replaced from run to run
(https://onnx.ai/onnx/repo-docs/IR.html, "initializers that are inputs"). Losses of single weights
add up well enough to choose by (Dong et al. 2019, https://arxiv.org/abs/1905.03696), so those that
cost most for a byte stay float16.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from satchel_models import graph, native
from satchel_models.native import Answers
from satchel_models.quantisation.storage import Kind, Packer, Rule, Weight, weights
from satchel_models.recipe import Session
from satchel_models.steps import Feeds, Sensitivity
from satchel_models.tools import Progress

WORK = 3e11
"""Multiplications that may be spent: some 10 s of two cores. A figure and not a time, so that the
same model is measured alike everywhere."""

SAMPLES = 4
"""Inputs that each weight is tried with, where `WORK` allows."""

EXTRA = 0.02
"""Share of the int8 weights' bytes that float16 may cost on top."""

WORTH = 0.005
"""Share of all the loss that a weight must cost to be kept as float16."""


def measured(
    model: onnx.ModelProto,
    plain: onnx.ModelProto,
    feeds: Sequence[Feeds],
    packer: Packer,
    progress: Progress,
) -> tuple[Sensitivity, ...]:
    """Each weight's loss, largest first.

    Where there are more weights than `WORK` allows, those are left out that rounding changes least.

    Args:
        model: A float32 graph, optimised.
        plain: The same before the engine's fusions: how much work it is can be told of this.
        feeds: Inputs.
        packer: Makes int8 of a weight.
        progress: Told the share that is done.
    """
    found = [w for w in weights(model.graph).values() if w.axis is not None]
    values = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    rounded = {w.name: _rounded(values[w.name], w, packer) for w in found}
    found.sort(key=lambda w: (-_proxy(values[w.name], rounded[w.name]), w.name))
    tries, feeds = _affordable(plain, len(found), feeds[:SAMPLES])
    data = _replaceable(model, [w.name for w in found]).SerializeToString()
    session = native.loaded("The graph", data, Session("disabled", dict(graph.FOLDED)))
    right = native.answers("The graph", session, feeds)
    losses: list[tuple[Weight, float]] = []
    for number, weight in enumerate(found[:tries]):
        progress("sensitivity", number / tries)
        replaced = [{**one, weight.name: rounded[weight.name]} for one in feeds]
        losses.append((weight, loss(right, native.answers("The graph", session, replaced))))
    losses.sort(key=lambda item: (-item[1], item[0].name))
    kept = chosen({w.name: (w.size, cost) for w, cost in losses if w.half})
    return tuple(Sensitivity(w.name, w.operator, w.size, x, w.name in kept) for w, x in losses)


def chosen(costs: Mapping[str, tuple[int, float]], extra: float = EXTRA) -> set[str]:
    """Which weights to keep as float16: those with the largest loss for a byte that fit.

    Args:
        costs: By name, how many numbers a weight has, and its loss.
        extra: Share of all the numbers that may be kept.

    >>> sorted(chosen({"a": (10, 5.0), "b": (90, 6.0), "c": (5, 0.1)}, extra=0.15))
    ['a', 'c']
    """
    room = extra * sum(size for size, _ in costs.values())
    least = WORTH * sum(cost for _, cost in costs.values())
    kept = set()
    for name in sorted(costs, key=lambda name: (-costs[name][1] / costs[name][0], name)):
        size, cost = costs[name]
        if size <= room and cost > least:
            kept.add(name)
            room -= size
    return kept


def rule(found: Sequence[Sensitivity]) -> Rule:
    """Weights as float16 where their loss says so, else int8."""
    kept = {item.tensor for item in found if item.kept}

    def kind(weight: Weight) -> Kind:
        if weight.axis is None:
            return "float32"
        return "float16" if weight.name in kept else "int8"

    return kind


def loss(right: Sequence[Answers], found: Sequence[Answers]) -> float:
    """Mean squared difference of answers, relative to how far the right ones are from zero."""
    wrong = total = 0.0
    for one, other in zip(right, found, strict=True):
        for a, b in zip(one, other, strict=True):
            if a.dtype.kind != "f":
                continue
            usual = np.isfinite(a) & np.isfinite(b)
            x, y = a[usual].astype(np.float64), b[usual].astype(np.float64)
            # Outputs count alike, however large they are.
            scale = float((x**2).mean()) if x.size else 0.0
            if scale > 0:
                wrong += float(((x - y) ** 2).mean()) / scale
                total += 1
    return wrong / total if total else 0.0


def multiplications(model: onnx.ModelProto, feeds: Feeds) -> float:
    """About how many multiplications one inference takes, by the shapes that ONNX infers."""
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    for value in sized.graph.input:
        if value.name in feeds:
            shape = value.type.tensor_type.shape
            for dim, size in zip(shape.dim, feeds[value.name].shape, strict=False):
                dim.dim_value = size
    inferred = onnx.shape_inference.infer_shapes(sized, data_prop=True)
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*inferred.graph.value_info, *inferred.graph.output)
    }
    total = 0.0
    sizes = {t.name: list(t.dims) for t in model.graph.initializer}
    for node in model.graph.node:
        for name in node.input[1:2]:
            if name in sizes and len(sizes[name]) >= 2:
                weight = sizes[name]
                places = _places(node, shapes.get(node.output[0], []), feeds)
                total += float(np.prod(weight)) * places
    return total


def _places(node: onnx.NodeProto, shape: Sequence[int], feeds: Feeds) -> float:
    """How many times a weight is used in one inference."""
    if shape and all(shape):
        kept = [shape[0], *shape[2:]] if "Conv" in node.op_type else shape[:-1]
        return float(np.prod(kept))
    # Unknown inside: about as often as an input has places.
    largest = max((value.size for value in feeds.values()), default=1)
    return largest / (16 if "Conv" in node.op_type else 1)


def _affordable(
    model: onnx.ModelProto, count: int, feeds: Sequence[Feeds]
) -> tuple[int, Sequence[Feeds]]:
    """How many weights can be tried, and with which inputs."""
    if not feeds or not count:
        return 0, feeds
    runs = int(WORK / max(1.0, multiplications(model, feeds[0])))
    samples = max(1, min(len(feeds), runs // count))
    return min(count, max(1, runs // samples)), feeds[:samples]


def _replaceable(model: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """`model` whose named weights are inputs with a default."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    result.ir_version = max(4, result.ir_version)
    wanted = set(names)
    result.graph.input.extend(
        helper.make_tensor_value_info(t.name, t.data_type, t.dims)
        for t in model.graph.initializer
        if t.name in wanted
    )
    return result


def _rounded(values: NDArray[np.float32], weight: Weight, packer: Packer) -> NDArray[np.float32]:
    """A weight as it comes back from int8."""
    axis = weight.axis or 0
    small, step = packer(values, axis)
    shape = [1] * values.ndim
    shape[axis] = -1
    return small.astype(np.float32) * step.reshape(shape)


def _proxy(values: NDArray[np.float32], rounded: NDArray[np.float32]) -> float:
    """Energy of what rounding adds, relative to the weight's."""
    energy = float((values.astype(np.float64) ** 2).sum())
    return float(((values - rounded).astype(np.float64) ** 2).sum()) / energy if energy else 0.0
