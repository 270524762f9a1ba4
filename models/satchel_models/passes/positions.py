"""Convolutions and means over few positions, said in operators that the engine runs fast.

The engine multiplies a convolution's filters by its positions, sixteen at a time: where there is
one, after a global pooling, or four, in a frame of sound, most of that is padding. The same product
the other way round has the positions as its rows and the filters side by side.
"""

import math
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from satchel_models.passes.editing import Edit, rewritten

FEW = 8
"""Positions: with more, turning the tensors round costs what the product saves."""

LEAST = 1000
"""Weights: with fewer, the nodes around the product cost what it saves."""

ELEMENTWISE = ("Relu", "Sigmoid", "Tanh", "HardSigmoid", "LeakyRelu")
"""Activations that stay right behind the product, where the engine fuses most of them with it."""


def products(model: onnx.ModelProto) -> onnx.ModelProto:
    """Convolutions over a few positions, known beforehand, as products of matrices. Exact."""
    return rewritten(model, _product)


def mean_pooling(model: onnx.ModelProto) -> onnx.ModelProto:
    """Means over whole images by the operator that does nothing else. Exact."""
    return rewritten(model, _mean)


@dataclass(frozen=True)
class _Line:
    """A convolution along one axis; over an image of one pixel, or along blocks of a signal, too.

    Attributes:
        weights: [filters, channels, taps].
        reads: What each tap reads at each position, [positions, taps]; `length` is padding.
        length: Of the input, in what `reads` counts.
        blocks: Whether the channels are what lies together in a signal of one channel.
    """

    weights: NDArray[np.float32]
    reads: NDArray[np.int64]
    length: int
    blocks: bool = False


def _mean(edit: Edit, node: onnx.NodeProto) -> bool:
    if node.op_type != "ReduceMean":
        return False
    shape, attributes = edit.shape(node.input[0]), edit.attributes(node)
    axes = attributes.get("axes") if len(node.input) == 1 else edit.values(node.input[1])
    if shape is None or axes is None or not attributes.get("keepdims", 1):
        return False
    # With three axes it may be the mean of a layer normalisation, which the engine fuses.
    if len(shape) < 4 or sorted(int(axis) % len(shape) for axis in axes) != [*range(2, len(shape))]:
        return False
    edit.write("GlobalAveragePool", node.input[0], to=node.output[0])
    return True


def _product(edit: Edit, node: onnx.NodeProto) -> bool:
    convolution = _convolution(edit, node)
    line = _line(edit, convolution) if convolution is not None else None
    if convolution is None or line is None:
        return False
    filters, channels, taps = line.weights.shape
    matrix = line.weights.transpose(2, 1, 0).reshape(taps * channels, filters)
    bias = [name for name in convolution.input[2:] if name]
    rows = _rows(edit, convolution.input[0], line)
    value = edit.write("Gemm", rows, edit.constant(matrix), *bias)
    if convolution is not node:
        value = edit.write(node.op_type, value, **edit.attributes(node))
    rank = len(edit.shape(convolution.input[0]) or ())
    _back(edit, value, (len(line.reads), filters), rank, to=node.output[0])
    return True


def _convolution(edit: Edit, node: onnx.NodeProto) -> onnx.NodeProto | None:
    """The convolution that ends with this node: itself, or the one before an activation."""
    if node.op_type in ELEMENTWISE:
        alone = edit.only_reader(node.input[0]) is not None
        return edit.made_by(node.input[0], "Conv") if alone else None
    reader = edit.only_reader(node.output[0])
    followed = reader is not None and reader.op_type in ELEMENTWISE
    return node if node.op_type == "Conv" and not followed else None


def _line(edit: Edit, node: onnx.NodeProto) -> _Line | None:
    """A convolution that is worth a product; None where it isn't one."""
    shape, weights = edit.shape(node.input[0]), edit.values(node.input[1])
    given = edit.attributes(node)
    if shape is None or weights is None or weights.dtype != np.float32 or weights.size < LEAST:
        return None
    if given.get("group", 1) != 1 or given.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        return None
    if shape[2:] == (1, 1) and weights.shape[2:] == (1, 1) and not any(given.get("pads", ())):
        return _Line(weights[..., 0], np.zeros((1, 1), np.int64), 1)
    if len(shape) != 3 or shape[2] is None or given.get("dilations", [1]) != [1]:
        return None
    return _along(weights, shape[2], given.get("strides", [1])[0], given.get("pads", [0, 0]))


def _along(weights: NDArray[np.float32], length: int, stride: int, pads: list[int]) -> _Line | None:
    """A convolution along an axis of this length; None where it has too many positions."""
    filters, channels, taps = weights.shape
    positions = (length + sum(pads) - taps) // stride + 1
    if not 0 < positions <= min(FEW, filters):
        return None
    block = math.gcd(stride, taps, length) if channels == 1 and not any(pads) else 1
    if block > 1:
        weights = weights.reshape(filters, taps // block, block).transpose(0, 2, 1)
        length, stride, taps = length // block, stride // block, taps // block
    reads = np.arange(positions)[:, None] * stride + np.arange(taps)[None] - pads[0]
    inside = (reads >= 0) & (reads < length)
    used = inside.any(axis=0)
    return _Line(weights[..., used], np.where(inside, reads, length)[:, used], length, block > 1)


def _rows(edit: Edit, value: str, line: _Line) -> str:
    """What each position reads, as a row of a matrix: [batch × positions, taps × channels]."""
    _, channels, taps = line.weights.shape
    if line.length == 1 and value in edit.matrices:
        return edit.matrices[value]
    if line.blocks:
        form = np.array([-1, line.length, channels])
        value = edit.write("Reshape", value, edit.constant(form))
    elif line.length > 1:
        value = edit.write("Transpose", value, perm=[0, 2, 1])
    if not np.array_equal(line.reads.reshape(-1), np.arange(line.length)):
        if (line.reads == line.length).any():
            value = edit.write("Pad", value, edit.constant(np.array([0, 0, 0, 0, 1, 0])))
        value = edit.write("Gather", value, edit.constant(line.reads), axis=1)
    return edit.write("Reshape", value, edit.constant(np.array([-1, taps * channels])))


def _back(edit: Edit, value: str, sizes: tuple[int, int], rank: int, to: str) -> None:
    """Give a product, [batch × positions, filters], the form of the convolution's output."""
    positions, filters = sizes
    if positions == 1:
        edit.matrices[to] = value
        form = np.array([-1, filters, *[1] * (rank - 2)])
        edit.write("Reshape", value, edit.constant(form), to=to)
        return
    apart = edit.write("Reshape", value, edit.constant(np.array([-1, positions, filters])))
    edit.write("Transpose", apart, to=to, perm=[0, 2, 1])
