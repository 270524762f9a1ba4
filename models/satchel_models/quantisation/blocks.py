"""Weights of matrix products in blocks of 4 bits: ONNX Runtime's `MatMulNBits`.

https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#commicrosoftmatmulnbits
says how they are packed. Each block of `BLOCK` inputs of an output channel has a scale of its own,
the one with the least squared error; −8 … 7 are stored as 0 … 15.
"""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

BLOCK = 32
"""Inputs that share a scale; a power of two, 16 or more."""

SMALLEST = 4096
"""Numbers of a weight that is worth it."""

MIDDLE = 8
ACCURACY_LEVEL = 4
"""Activations are rounded to int8 within a block: the fast kernels."""

_FRACTIONS = np.linspace(1.0, 0.7, 16)
DOMAIN = "com.microsoft"


def packed(
    weight: NDArray[np.float32], block: int = BLOCK
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A weight in blocks.

    Args:
        weight: float32 [inputs, outputs].
        block: Inputs that share a scale.

    Returns:
        uint8 [outputs, blocks, block / 2], two values a byte, the earlier one in the low bits;
        float32 [outputs, blocks], the scales.
    """
    inputs, outputs = weight.shape
    count = -(-inputs // block)
    padded = np.zeros((outputs, count * block), np.float32)
    padded[:, :inputs] = weight.T
    rows = padded.reshape(outputs * count, block)
    scale = scales(rows)
    values = _values(rows, scale) + MIDDLE
    pairs = values.astype(np.uint8).reshape(outputs, count, block // 2, 2)
    both = (pairs[..., 0] | (pairs[..., 1] << 4)).astype(np.uint8)
    return both, scale.reshape(outputs, count)


def scales(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The scale of each row, float32 [rows], that minimises its squared error.

    It is signed, so that the largest value of either sign can be −8, the longer end.
    """
    extreme = np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)[:, 0]
    full = np.where(extreme == 0, np.float32(1), extreme / np.float32(-MIDDLE))
    best, least = full, np.full(len(rows), np.inf)
    for fraction in _FRACTIONS:
        scale = (full * fraction).astype(np.float32)
        error = ((rows - _values(rows, scale) * scale[:, None]) ** 2).sum(axis=1)
        better = error < least
        best, least = np.where(better, scale, best), np.where(better, error, least)
    return best.astype(np.float32)


def stored(model: onnx.ModelProto, block: int = BLOCK) -> tuple[onnx.ModelProto, int]:
    """`model` with its constant matrix products as `MatMulNBits`, and how many there are.

    Args:
        model: A float32 graph of ONNX's own operators.
        block: Inputs that share a scale.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    constants = {t.name: t for t in graph.initializer if t.data_type == onnx.TensorProto.FLOAT}
    nodes: list[onnx.NodeProto] = []
    made: dict[str, list[onnx.TensorProto]] = {}
    for node in graph.node:
        weight = _weight(node, constants)
        if weight is None:
            nodes.append(node)
            continue
        name = node.input[1]
        if name not in made:
            made[name] = _tensors(name, weight, block)
        nodes += _product(node, weight, block, [tensor.name for tensor in made[name]])
    used = {name for node in nodes for name in node.input} | {o.name for o in graph.output}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*kept, *(tensor for both in made.values() for tensor in both)])
    if made and DOMAIN not in {o.domain for o in result.opset_import}:
        result.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    return result, len(made)


def _weight(
    node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]
) -> NDArray[np.float32] | None:
    """The weight [inputs, outputs] of a node that is a product by a constant."""
    if node.op_type not in ("MatMul", "Gemm") or node.input[1] not in constants:
        return None
    tensor = constants[node.input[1]]
    if len(tensor.dims) != 2 or int(np.prod(tensor.dims)) < SMALLEST:
        return None
    given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if given.get("transA", 0) or given.get("alpha", 1.0) != 1 or given.get("beta", 1.0) != 1:
        return None
    values = numpy_helper.to_array(tensor)
    return values.T if given.get("transB", 0) else values


def _tensors(name: str, weight: NDArray[np.float32], block: int) -> list[onnx.TensorProto]:
    values, scale = packed(weight, block)
    return [
        numpy_helper.from_array(values, f"{name}.int4"),
        numpy_helper.from_array(scale, f"{name}.scale"),
    ]


def _product(
    node: onnx.NodeProto, weight: NDArray[np.float32], block: int, names: list[str]
) -> list[onnx.NodeProto]:
    biased = len(node.input) == 3 and bool(node.input[2])
    output = f"{node.output[0]}.product" if biased else node.output[0]
    inputs, outputs = weight.shape
    product = helper.make_node(
        "MatMulNBits",
        [node.input[0], *names],
        [output],
        domain=DOMAIN,
        K=inputs,
        N=outputs,
        bits=4,
        block_size=block,
        accuracy_level=ACCURACY_LEVEL,
    )
    if not biased:
        return [product]
    return [product, helper.make_node("Add", [output, node.input[2]], [node.output[0]])]


def _values(rows: NDArray[np.float32], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = np.clip(np.rint(rows / scale[:, None]), -MIDDLE, MIDDLE - 1)
    return result
