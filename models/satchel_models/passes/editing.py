"""Rewriting a graph node by node: what a rule looks at, and what it writes with."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from satchel_models.graph import graphs

Shape = tuple[int | None, ...]
"""Sizes of a value's axes; None where one is dynamic."""


class Edit:
    """A copy of a graph, while rules rewrite it; graphs that its nodes hold stay as they are.

    Attributes:
        graph: The copy.
        matrices: What rules have written: by a value's name, the same numbers as a matrix.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = onnx.ModelProto()
        self._model.CopyFrom(model)
        graph = self.graph = self._model.graph
        self.matrices: dict[str, str] = {}
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._makers: dict[str, onnx.NodeProto] = {}
        self._readers: dict[str, list[onnx.NodeProto | None]] = defaultdict(list)
        for node in graph.node:
            if node.op_type == "Constant" and node.attribute[0].HasField("t"):
                self._constants[node.output[0]] = node.attribute[0].t
            self._makers.update(dict.fromkeys(node.output, node))
            for name in node.input:
                self._readers[name].append(node)
        for name in self._elsewhere():
            self._readers[name].append(None)
        self._names = {name for inner in graphs(graph) for name in _names(inner)}
        self._shapes = _shapes(model)
        self._written: list[onnx.NodeProto] = []

    def attributes(self, node: onnx.NodeProto) -> dict[str, Any]:
        """Values of a node's attributes."""
        return {one.name: helper.get_attribute_value(one) for one in node.attribute}

    def values(self, name: str) -> NDArray[Any] | None:
        """What a constant holds; None where a name is none's."""
        tensor = self._constants.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def number(self, name: str) -> float | None:
        """What a constant of a single number holds."""
        values = self.values(name)
        return None if values is None or values.size != 1 else float(values.reshape(-1)[0])

    def shape(self, name: str) -> Shape | None:
        """Sizes of a value's axes, as far as they can be inferred."""
        return self._shapes.get(name)

    def made_by(self, name: str, *kinds: str) -> onnx.NodeProto | None:
        """The node that makes a value, where it is of one of these kinds."""
        node = self._makers.get(name)
        return node if node is not None and node.op_type in kinds else None

    def only_reader(self, name: str) -> onnx.NodeProto | None:
        """The node that reads a value, where nothing else does."""
        readers = self._readers[name]
        return readers[0] if len(readers) == 1 else None

    def constant(self, values: NDArray[Any]) -> str:
        """Add a constant; return its name."""
        name = self._new("constant")
        self.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def write(self, kind: str, *inputs: str, to: str = "", **attributes: Any) -> str:
        """Write a node of ONNX's own, to a new value or to `to`; return its output's name."""
        output = to or self._new("value")
        self._written.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def written(self) -> Sequence[onnx.NodeProto]:
        """What was written since the last time."""
        written, self._written = self._written, []
        return written

    def finished(self, nodes: Sequence[onnx.NodeProto]) -> onnx.ModelProto:
        """The model with these nodes, without those among them that nothing needs any more."""
        needed = self._elsewhere()
        kept = []
        for node in reversed(nodes):
            if needed.intersection(node.output):
                kept.append(node)
                needed.update(node.input)
        constants = [tensor for tensor in self.graph.initializer if tensor.name in needed]
        del self.graph.node[:], self.graph.initializer[:]
        self.graph.node.extend(reversed(kept))
        self.graph.initializer.extend(constants)
        self.graph.ClearField("value_info")
        return self._model

    def _elsewhere(self) -> set[str]:
        """What is read by no node of the graph itself: its outputs, and what inner graphs use."""
        names = {value.name for value in self.graph.output}
        for inner in list(graphs(self.graph))[1:]:
            names.update(name for node in inner.node for name in node.input)
            names.update(value.name for value in inner.output)
        return names

    def _new(self, kind: str) -> str:
        name = f"{kind}.{len(self._names)}"
        while name in self._names:
            name += "_"
        self._names.add(name)
        return name


Rule = Callable[[Edit, onnx.NodeProto], bool]
"""Looks at a node; writes what takes its place and says True, or says False."""


def rewritten(model: onnx.ModelProto, rule: Rule) -> onnx.ModelProto:
    """A copy of `model` in which a rule has replaced what it knows.

    A replacement writes to the replaced node's outputs; nodes before it that nothing else needs
    go. Where the rule finds nothing, `model` itself.
    """
    edit = Edit(model)
    nodes: list[onnx.NodeProto] = []
    found = False
    for node in edit.graph.node:
        if rule(edit, node):
            found = True
            nodes += edit.written()
        else:
            nodes.append(node)
    return edit.finished(nodes) if found else model


def _names(graph: onnx.GraphProto) -> set[str]:
    values = {value.name for value in (*graph.input, *graph.output, *graph.initializer)}
    return values.union(*(node.input for node in graph.node), *(node.output for node in graph.node))


def _shapes(model: onnx.ModelProto) -> dict[str, Shape]:
    graph = onnx.shape_inference.infer_shapes(model).graph
    found: dict[str, Shape] = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        kind = value.type.tensor_type
        if kind.HasField("shape"):
            found[value.name] = tuple(
                dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim
            )
    return found
