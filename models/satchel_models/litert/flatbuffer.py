"""Reading and writing `.tflite` files: flatbuffers by TensorFlow Lite's schema.

https://github.com/google-ai-edge/LiteRT/blob/main/tflite/converter/schema/schema.fbs. What is
written is canonical: the same network gives the same bytes, and nothing is in it that only weighs
(converters write the names of Python objects for every tensor, and their own versions).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

MARK = b"TFL3"
"""At offset 4 of every file."""

ALIGNMENT = 16
"""Bytes: where constants begin, so that kernels read them as vectors."""

SIGNATURE = b"serving_default"

OPERATORS: Mapping[int, str] = {
    number: name for name, number in vars(schema.BuiltinOperator).items() if name.isupper()
}
"""Names of built-in operators, by number."""


def read(data: bytes) -> Any:
    """A file as the schema's `ModelT`, to be changed."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    for buffer in model.buffers:
        if buffer.offset > 1:  # behind the flatbuffer, where those of large models lie
            buffer.data = np.frombuffer(data, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return model


def write(model: Any) -> bytes:
    """A file's bytes; constants first, then what describes the network."""
    builder = _Builder(1024)
    builder.Finish(model.Pack(builder), MARK)
    return bytes(builder.Output())


def canonical(model: Any) -> None:
    """Drop, in place, what nothing uses, and name and number the rest by its order.

    Inputs and outputs keep their names; those of the signature stay, too.
    """
    (graph,) = model.subgraphs
    outer = {*graph.inputs, *graph.outputs}
    order = dict.fromkeys([*graph.inputs, *_used(graph), *graph.outputs])
    number = {old: new for new, old in enumerate(order)}
    number[-1] = -1  # an input that is left out
    tensors = [graph.tensors[old] for old in order]
    for old, tensor in zip(order, tensors, strict=True):
        if old not in outer:
            tensor.name = f"t{number[old]}".encode()
        tensor.shapeSignature = None
        if tensor.quantization is not None:
            tensor.quantization.min = tensor.quantization.max = None
    for operator in graph.operators:
        operator.inputs = [number[k] for k in operator.inputs]
        operator.outputs = [number[k] for k in operator.outputs]
        operator.intermediates = None
    graph.inputs = [number[k] for k in graph.inputs]
    graph.outputs = [number[k] for k in graph.outputs]
    for signature in model.signatureDefs or []:
        for entry in (*signature.inputs, *signature.outputs):
            entry.tensorIndex = number[entry.tensorIndex]
    graph.tensors, graph.name = tensors, b"main"
    _buffers(model, tensors)
    _codes(model, graph)
    model.description, model.metadata, model.metadataBuffer = b"", None, None


def named(model: Any, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Name a network's inputs and outputs, in its one signature, too; in place.

    Args:
        model: Its signature numbers them ("args_0", "in_1", …), whatever their order in the graph.
        inputs: Names, by those numbers.
        outputs: Likewise.
    """
    (graph,) = model.subgraphs
    (signature,) = model.signatureDefs
    signature.signatureKey = SIGNATURE
    for entries, names in ((signature.inputs, inputs), (signature.outputs, outputs)):
        entries.sort(key=_numbered)
        for entry, name in zip(entries, names, strict=True):
            entry.name = graph.tensors[entry.tensorIndex].name = name.encode()
    graph.inputs = [entry.tensorIndex for entry in signature.inputs]
    graph.outputs = [entry.tensorIndex for entry in signature.outputs]


def computed(model: Any) -> tuple[str, ...]:
    """Names of the float32 tensors that are no constants, in order."""
    (graph,) = model.subgraphs
    order = dict.fromkeys([*graph.inputs, *(k for op in graph.operators for k in op.outputs)])
    tensors = [graph.tensors[k] for k in order]
    float32 = schema.TensorType.FLOAT32
    return tuple(one.name.decode() for one in tensors if one.type == float32)


def operator_of(model: Any, operator: Any) -> str:
    """An operator's name, such as CONV_2D."""
    return OPERATORS[model.operatorCodes[operator.opcodeIndex].builtinCode]


def code(model: Any, builtin: int, version: int = 1) -> int:
    """The number under which a model uses an operator; a new one where it doesn't yet."""
    for number, one in enumerate(model.operatorCodes):
        if one.builtinCode == builtin:
            one.version = max(one.version, version)
            return number
    added = schema.OperatorCodeT()
    added.builtinCode, added.deprecatedBuiltinCode = builtin, min(builtin, 127)
    added.version = version
    model.operatorCodes.append(added)
    return len(model.operatorCodes) - 1


def scaled(scales: Sequence[float], zeros: Sequence[int]) -> Any:
    """How whole numbers stand for others: (x - zero) * scale, for all or for each channel."""
    made = schema.QuantizationParametersT()
    made.scale, made.zeroPoint = np.array(scales, np.float32), np.array(zeros, np.int64)
    return made


class _Builder(flatbuffers.Builder):  # type: ignore[misc]
    """A builder that aligns constants, and writes equal zero points once.

    Symmetric weights have a zero point for each channel, eight bytes of nothing each.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[bytes, int] = {}

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> int:  # noqa: N802, N803
        wanted = ALIGNMENT if elemSize == 1 else alignment
        return int(super().StartVector(elemSize, numElems, wanted))

    def CreateNumpyVector(self, x: NDArray[Any]) -> int:  # noqa: N802
        if x.dtype != np.int64:
            return int(super().CreateNumpyVector(x))
        key = x.tobytes()
        if key not in self._written:
            self._written[key] = int(super().CreateNumpyVector(x))
        return self._written[key]


def _used(graph: Any) -> Iterator[int]:
    for operator in graph.operators:
        yield from (k for k in operator.inputs if k >= 0)
        yield from operator.outputs


def _buffers(model: Any, tensors: Sequence[Any]) -> None:
    """Number constants by first use; computed tensors have the empty one, 0."""
    kept, number = [schema.BufferT()], {0: 0}
    for tensor in tensors:
        buffer = model.buffers[tensor.buffer]
        if buffer.data is None or not len(buffer.data):
            number[tensor.buffer] = 0
        elif tensor.buffer not in number:
            number[tensor.buffer] = len(kept)
            kept.append(buffer)
        tensor.buffer = number[tensor.buffer]
    model.buffers = kept


def _codes(model: Any, graph: Any) -> None:
    order = dict.fromkeys(operator.opcodeIndex for operator in graph.operators)
    number = {old: new for new, old in enumerate(order)}
    for operator in graph.operators:
        operator.opcodeIndex = number[operator.opcodeIndex]
    model.operatorCodes = [model.operatorCodes[old] for old in order]


def _numbered(entry: Any) -> int:
    found = re.search(rb"\d+$", entry.name)
    return int(found[0]) if found else 0
