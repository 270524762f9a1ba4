"""Tiny .tflite files, written by LiteRT's own schema; runs on CPython only.

Each does what the ONNX model of the same name in fixtures.py does, at one size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

Ops = schema.BuiltinOperator
TYPES = {
    np.dtype(name): getattr(schema.TensorType, name.upper())
    for name in ("float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8")
} | {np.dtype(bool): schema.TensorType.BOOL}


class Graph:
    """One subgraph on its way."""

    def __init__(self, model: Model, name: str) -> None:
        self.model = model
        self.made = schema.SubGraphT()
        self.made.name = name.encode()
        self.made.tensors, self.made.operators = [], []

    def tensor(
        self, name: str, shape: Sequence[int], kind: str = "float32", data: Any = None
    ) -> int:
        """A tensor; a constant where there is data. Sizes of −1 are dynamic."""
        tensor = schema.TensorT()
        tensor.name, tensor.type = name.encode(), TYPES[np.dtype(kind)]
        tensor.shape = [max(size, 1) for size in shape]
        if -1 in shape:
            tensor.shapeSignature = list(shape)
        tensor.hasRank = True
        tensor.buffer = 0 if data is None else self.model.buffer(np.asarray(data, kind).tobytes())
        self.made.tensors.append(tensor)
        return len(self.made.tensors) - 1

    def node(
        self, code: int | str, inputs: Sequence[int], outputs: Sequence[int], **options: Any
    ) -> None:
        """An operator; one that is named is a custom one. Options: the table's name and fields."""
        node = schema.OperatorT()
        node.opcodeIndex = self.model.code(code)
        node.inputs, node.outputs = list(inputs), list(outputs)
        for kind, fields in options.items():
            node.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            node.builtinOptions = getattr(schema, f"{kind}T")()
            for field, value in fields.items():
                setattr(node.builtinOptions, field, value)
        self.made.operators.append(node)

    def ends(self, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        self.made.inputs, self.made.outputs = list(inputs), list(outputs)


class Model:
    """A model on its way; its first graph is the one that is run."""

    def __init__(self) -> None:
        self._made = schema.ModelT()
        self._made.version, self._made.description = 3, b"test"
        self._made.buffers = [schema.BufferT()]
        self._made.operatorCodes, self._made.subgraphs = [], []
        self._codes: dict[int | str, int] = {}

    def graph(self, name: str = "main") -> Graph:
        graph = Graph(self, name)
        self._made.subgraphs.append(graph.made)
        return graph

    def buffer(self, data: bytes) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(data, np.uint8)
        self._made.buffers.append(buffer)
        return len(self._made.buffers) - 1

    def code(self, code: int | str) -> int:
        if code not in self._codes:
            made = schema.OperatorCodeT()
            custom = isinstance(code, str)
            made.builtinCode = Ops.CUSTOM if custom else code
            made.deprecatedBuiltinCode = min(made.builtinCode, 127)
            made.customCode = code.encode() if custom else None
            made.version = 1
            self._codes[code] = len(self._made.operatorCodes)
            self._made.operatorCodes.append(made)
        return self._codes[code]

    def written(self, *, signature: bool = True) -> bytes:
        """The file."""
        main = self._made.subgraphs[0]
        if signature:
            defined = schema.SignatureDefT()
            defined.signatureKey, defined.subgraphIndex = b"serving_default", 0
            defined.inputs = [_named(main, index) for index in main.inputs]
            defined.outputs = [_named(main, index) for index in main.outputs]
            self._made.signatureDefs = [defined]
        builder = flatbuffers.Builder(1024)
        builder.Finish(self._made.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def _named(graph: Any, index: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = graph.tensors[index].name, index
    return entry


def single(code: int | str, kind: str = "float32", shape: Sequence[int] = (2, 3)) -> Model:
    """y = operator(x)."""
    model = Model()
    graph = model.graph()
    x, y = graph.tensor("x", shape, kind), graph.tensor("y", shape, kind)
    graph.node(code, [x], [y])
    graph.ends([x], [y])
    return model


def identity(kind: str) -> Model:
    """Gives back what it takes."""
    model = Model()
    graph = model.graph()
    x, y = graph.tensor("x", [2, 3], kind), graph.tensor("y", [2, 3], kind)
    shape = graph.tensor("shape", [2], "int32", [2, 3])
    graph.node(Ops.RESHAPE, [x, shape], [y], ReshapeOptions={"newShape": [2, 3]})
    graph.ends([x], [y])
    return model


def several() -> Model:
    """a + b and a - b."""
    model = Model()
    graph = model.graph()
    a, b, total, difference = (
        graph.tensor(name, [2, 3]) for name in ("a", "b", "sum", "difference")
    )
    graph.node(Ops.ADD, [a, b], [total], AddOptions={})
    graph.node(Ops.SUB, [a, b], [difference], SubOptions={})
    graph.ends([a, b], [total, difference])
    return model


def scalar() -> Model:
    """Twice a scalar."""
    model = Model()
    graph = model.graph()
    x, y = graph.tensor("x", []), graph.tensor("y", [])
    graph.node(Ops.ADD, [x, x], [y], AddOptions={})
    graph.ends([x], [y])
    return model


def total(graph: Graph, of: int, axes: Sequence[int], to: int) -> None:
    """The sum over some axes."""
    axis = graph.tensor("axes", [len(axes)], "int32", axes)
    graph.node(Ops.SUM, [of, axis], [to], ReducerOptions={"keepDims": False})


def hungry() -> Model:
    """Zeros of the shape it is asked for: asks for as much memory as a test wants."""
    model = Model()
    graph = model.graph()
    shape, y = graph.tensor("shape", [2], "int32"), graph.tensor("y", [])
    zero = graph.tensor("zero", [], data=0)
    zeros = graph.tensor("zeros", [-1, -1])
    graph.node(Ops.FILL, [shape, zero], [zeros], FillOptions={})
    total(graph, zeros, [0, 1], y)
    graph.ends([shape], [y])
    return model


def slow() -> Model:
    """Multiplies a matrix with itself `times` times."""
    model = Model()
    side = 192
    main, going, body = model.graph(), model.graph("going"), model.graph("body")

    def state(graph: Graph, suffix: str = "") -> list[int]:
        return [
            graph.tensor(f"round{suffix}", [], "int32"),
            graph.tensor(f"times{suffix}", [], "int32"),
            graph.tensor(f"m{suffix}", [side, side]),
        ]

    times, y = main.tensor("times", [], "int32"), main.tensor("y", [])
    first = main.tensor("first", [], "int32", 0)
    weights = main.tensor("weights", [side, side], data=np.eye(side))
    last = state(main, "_last")
    loop = {"condSubgraphIndex": 1, "bodySubgraphIndex": 2}
    main.node(Ops.WHILE, [first, times, weights], last, WhileOptions=loop)
    total(main, last[2], [0, 1], y)
    main.ends([times], [y])

    at = state(going)
    on = going.tensor("on", [], "bool")
    going.node(Ops.LESS, at[:2], [on], LessOptions={})
    going.ends(at, [on])

    at, to = state(body), state(body, "_next")
    one = body.tensor("one", [], "int32", 1)
    zero = body.tensor("zero", [], "int32", 0)
    other = body.tensor("weights", [side, side], data=np.eye(side))
    body.node(Ops.ADD, [at[0], one], [to[0]], AddOptions={})
    body.node(Ops.ADD, [at[1], zero], [to[1]], AddOptions={})
    body.node(Ops.BATCH_MATMUL, [at[2], other], [to[2]], BatchMatMulOptions={})
    body.ends(at, to)
    return model


def refusing() -> Model:
    """Fails whenever it is run: relu of whole numbers passes every check but the kernel's."""
    return single(Ops.RELU, "int32")


def models() -> Mapping[str, bytes]:
    """All of them by name."""
    kinds = ("float32", "int32", "uint8", "int8", "int64", "bool")
    made = {f"identity-{kind}": identity(kind) for kind in kinds}
    made |= {make.__name__: make() for make in (several, scalar, hungry, slow, refusing)}
    made["fixed"] = single(Ops.RELU)
    made["unnamed"] = single(Ops.RELU, shape=(-1, 2))
    made["unknown_operator"] = single("Levitate")
    files = {name: model.written() for name, model in made.items()}
    files["unsigned"] = single(Ops.RELU).written(signature=False)
    # A file that passes for one by its structure, and holds no graph.
    files["hollow"] = files["fixed"][:8] + bytes(400)
    return files


def write(folder: Path) -> None:
    """Write them into a folder, as `<name>.tflite`."""
    for name, content in models().items():
        (folder / f"{name}.tflite").write_bytes(content)
