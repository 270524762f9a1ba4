"""Changes to a network in the schema's own terms, each of which keeps its answers."""

from collections.abc import Iterator
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from satchel_models.litert import flatbuffer

BYTE = 256
"""Values of a uint8."""

_ENDINGS = {"SOFTMAX", "LOGISTIC", "RESHAPE"}
"""What networks put behind their last product."""


def take_bytes(model: Any, scale: float, zero: int) -> None:
    """Let a network's one float32 input be uint8, of which it takes (x - zero) * scale; in place.

    A network that rounds its input to int8 at once only has to change the sign bit for that.
    """
    (graph,) = model.subgraphs
    (index,) = graph.inputs
    inner = graph.tensors[index]
    image = schema.TensorT()
    image.name, image.shape, image.type = inner.name, inner.shape, schema.TensorType.UINT8
    image.buffer, image.quantization = 0, flatbuffer.scaled([scale], [zero])
    graph.tensors.append(image)
    outer = len(graph.tensors) - 1
    readers = [op for op in graph.operators if index in list(op.inputs)]
    if len(readers) == 1 and flatbuffer.operator_of(model, readers[0]) == "QUANTIZE":
        (op,) = readers
        op.inputs = [outer]
        graph.tensors[op.outputs[0]].quantization = flatbuffer.scaled([scale], [zero - BYTE // 2])
    else:
        graph.operators.insert(0, _dequantize(model, outer, index))
    graph.inputs = [outer]
    for signature in model.signatureDefs:
        for entry in signature.inputs:
            entry.tensorIndex = outer


def heads(model: Any) -> tuple[str, ...]:
    """Names of the products that the outputs come from, with nothing behind them but endings.

    256 steps over all classes' scores make draws of the best ones; such a product gives floats,
    also where everything before it is in int8.
    """
    (graph,) = model.subgraphs
    found = dict.fromkeys(name for one in graph.outputs for name in _heads(model, graph, one))
    return tuple(found)


def endings(model: Any) -> tuple[str, ...]:
    """Names of what the operators behind `heads` give."""
    (graph,) = model.subgraphs
    made = {op.outputs[0]: op for op in graph.operators}
    found = []
    for index in graph.outputs:
        while index in made and flatbuffer.operator_of(model, made[index]) in _ENDINGS:
            found.append(graph.tensors[index].name.decode())
            index = made[index].inputs[0]  # noqa: PLW2901 - on to what it is made of
    return tuple(dict.fromkeys(found))


def _heads(model: Any, graph: Any, index: int) -> Iterator[str]:
    made = {op.outputs[0]: op for op in graph.operators}
    while index in made:
        op = made[index]
        kind = flatbuffer.operator_of(model, op)
        if kind == "FULLY_CONNECTED":
            yield graph.tensors[index].name.decode()
        if kind not in _ENDINGS:
            return
        index = op.inputs[0]


def _dequantize(model: Any, outer: int, inner: int) -> Any:
    op = schema.OperatorT()
    op.opcodeIndex = flatbuffer.code(model, schema.BuiltinOperator.DEQUANTIZE, 2)
    op.inputs, op.outputs = [outer], [inner]
    op.builtinOptionsType = schema.BuiltinOptions.DequantizeOptions
    op.builtinOptions = schema.DequantizeOptionsT()
    return op
