"""A graph that gets another face: nodes before its input and behind its output.

>>> from onnx import parser
>>> model = parser.parse_model(
...     '<ir_version: 8, opset_import: ["": 17]> g (float[2] x) => (float[2] y) { y = Neg(x) }'
... )
>>> face = Face(model, "g")
>>> outer = face.value("x")  # a name that is free
>>> face.enter("x", outer, face.node("Abs", outer), onnx.TensorProto.FLOAT, [2])
>>> [value.name for value in inputs_of(face.done().graph)]
['x_1']
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import DTypeLike, NDArray
from onnx import helper, numpy_helper

from satchel_models.errors import TaskError

OLDEST = 13
"""Opset since which Softmax, Squeeze and ReduceSum are what is written here."""


@dataclass(frozen=True)
class Value:
    """An input or output of a graph; a size that isn't fixed is its axis' name."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | str, ...] | None

    def describe(self) -> str:
        """Its type and shape as people write them."""
        kind = "text" if self.dtype.kind == "O" else self.dtype.name
        return kind if self.shape is None else f"{kind}[{', '.join(map(str, self.shape))}]"


class Face:
    """A copy of a model, with nodes put before and behind it.

    Args:
        model: What is inside.
        name: What it is called in errors.

    Raises:
        TaskError: Its operator set is too old.
    """

    def __init__(self, model: onnx.ModelProto, name: str) -> None:
        self._model = onnx.ModelProto()
        self._model.CopyFrom(model)
        self.graph = self._model.graph
        opset = next((one.version for one in model.opset_import if one.domain == ""), 0)
        if opset < OLDEST:
            raise TaskError(
                f"{name} is an ONNX model of opset {opset}; its task needs {OLDEST} or newer. "
                "Convert it: onnx.version_converter.convert_version(model, 18)"
            )
        self.opset = opset
        self._taken = set(_names(self.graph))
        self._before: list[onnx.NodeProto] = []
        self._behind: list[onnx.NodeProto] = []
        self._nodes = self._before

    def value(self, wish: str) -> str:
        """A name that nothing has yet: `wish`, if that is free."""
        name, number = wish, 0
        while name in self._taken:
            number += 1
            name = f"{wish}_{number}"
        self._taken.add(name)
        return name

    def constant(self, value: NDArray[Any]) -> str:
        """A constant's name."""
        name = self.value("face.constant")
        self.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node and return its output's name."""
        name = self.value(f"face.{operator}")
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def cast(self, x: str, dtype: DTypeLike) -> str:
        """Add a cast and return its output's name."""
        return self.node("Cast", x, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def enter(
        self, inner: str, outer: str, last: str, kind: int, shape: Sequence[int | str]
    ) -> None:
        """Let `last`, made from the new input `outer`, be what the graph took as `inner`."""
        (place,) = (k for k, one in enumerate(self.graph.input) if one.name == inner)
        if self._before:
            self._before[-1].output[0] = inner
        else:  # nothing to do in between
            outer = inner
        given = helper.make_tensor_value_info(outer, kind, list(shape))
        self.graph.input[place].CopyFrom(given)
        self.behind()

    def behind(self) -> None:
        """Put nodes behind the graph from now on."""
        self._nodes = self._behind

    def leave(self, last: str, wish: str, kind: int, shape: Sequence[int | str]) -> None:
        """Let `last` be the one output, called `wish` if that is free."""
        name = last
        if self._behind:
            name = self._behind[-1].output[0] = self.value(wish)
        del self.graph.output[:]
        self.graph.output.append(helper.make_tensor_value_info(name, kind, list(shape)))

    def done(self) -> onnx.ModelProto:
        """The model."""
        nodes = [*self._before, *self.graph.node, *self._behind]
        del self.graph.node[:]
        self.graph.node.extend(nodes)
        onnx.checker.check_model(self._model)
        return self._model


def inputs_of(graph: onnx.GraphProto) -> list[Value]:
    """What a graph must be given: old models list their weights among the inputs, too."""
    known = {one.name for one in graph.initializer}
    return [_value(one) for one in graph.input if one.name not in known]


def outputs_of(graph: onnx.GraphProto) -> list[Value]:
    """What a graph gives."""
    return [_value(one) for one in graph.output]


def _value(info: onnx.ValueInfoProto) -> Value:
    tensor = info.type.tensor_type
    if not info.type.HasField("tensor_type") or not tensor.elem_type:
        # A sequence or a map: no tensor, and for nobody here.
        return Value(info.name, np.dtype(object), None)
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type))
    if not tensor.HasField("shape"):
        return Value(info.name, dtype, None)
    shape = tuple(
        dim.dim_value if dim.HasField("dim_value") else dim.dim_param or f"axis{axis}"
        for axis, dim in enumerate(tensor.shape.dim)
    )
    return Value(info.name, dtype, shape)


def _names(graph: onnx.GraphProto) -> Iterator[str]:
    """Every name in a graph and in those inside its nodes."""
    yield from (one.name for one in (*graph.input, *graph.output, *graph.initializer))
    for node in graph.node:
        yield from (*node.input, *node.output)
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _names(inner)
