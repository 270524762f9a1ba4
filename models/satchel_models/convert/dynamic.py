"""Making axes of a finished graph dynamic, where it goes on answering rightly.

An exporter that was given a batch of 1 writes it into inputs, outputs and the shapes of reshapes.
What is tried here is checked by running it (`conversion`), so that a guess may be wrong.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import numpy_helper

from satchel_models.convert.original import Original
from satchel_models.convert.samples import BATCH
from satchel_models.errors import ConversionError

_COUNTED = re.compile(r"unk__\d+|s\d+")
"""What tf2onnx and PyTorch call axes that nobody named; equal ones have equal sizes."""

_UNKNOWN = ("", "?", "None")
"""What says nothing at all, not even that two axes are alike."""


def with_axes(
    model: onnx.ModelProto, names: Mapping[str, Mapping[int, str]], *, reshapes: bool = False
) -> onnx.ModelProto:
    """A copy with dynamic axes; nothing is left that was inferred from the fixed ones.

    Args:
        model: The graph.
        names: Name by axis, by input.
        reshapes: Whether shapes of reshapes that begin with 1 are for a batch of any size.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    for value in graph.input:
        for axis, name in names.get(value.name, {}).items():
            value.type.tensor_type.shape.dim[axis].dim_param = name
    del graph.value_info[:]
    if reshapes:
        _loosen(graph)
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    return _inferred(result)


def named(model: onnx.ModelProto) -> None:
    """Give every dynamic axis of the inputs a name: "batch" for the first, else by its input.

    Names that exporters count through are no names; axes that share one go on sharing one.
    """
    new: dict[str, str] = {}
    for value in model.graph.input:
        for axis, dim in enumerate(value.type.tensor_type.shape.dim):
            if dim.HasField("dim_value") and dim.dim_value > 0:
                continue
            name = BATCH if axis == 0 else f"{value.name}_{axis}"
            if dim.dim_param in _UNKNOWN:
                dim.dim_param = name
            elif _COUNTED.fullmatch(dim.dim_param):
                dim.dim_param = new.setdefault(dim.dim_param, name)


def fix(model: onnx.ModelProto, original: Original) -> None:
    """Give dynamic axes the sizes that the developer says.

    Raises:
        ConversionError: There is no dynamic axis of such a name.
    """
    wanted = original.fixed or {}
    have = {axis for axes in dims(model).values() for axis in axes if isinstance(axis, str)}
    for name in wanted:
        if name not in have:
            raise ConversionError(
                f"{original.path} has no dynamic axis {name}; it has "
                f"{', '.join(sorted(have)) or 'none'}."
            )
    for value in (*model.graph.input, *model.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param in wanted:
                dim.dim_value = wanted[dim.dim_param]
    if wanted:
        del model.graph.value_info[:]  # what was inferred from the dynamic ones


def measured(model: onnx.ModelProto, sizes: Mapping[str, Sequence[tuple[int, ...]]]) -> None:
    """Write the outputs' shapes down: what stays the same is fixed, what changes is dynamic.

    Args:
        model: Its outputs are changed.
        sizes: By output: shapes that were seen, the one of a batch of 1 first.
    """
    names = {axis for axes in dims(model).values() for axis in axes if isinstance(axis, str)}
    first = next((axes[0] for axes in dims(model).values() if axes), BATCH)
    for value in model.graph.output:
        shape = value.type.tensor_type.shape
        before = [dim.dim_param for dim in shape.dim]
        seen = sizes[value.name]
        shape.ClearField("dim")
        for axis, size in enumerate(seen[0]):
            dim = shape.dim.add()
            name = before[axis] if axis < len(before) else ""
            if any(other[axis] != size for other in seen[1:]):
                dim.dim_param = str(first)
            elif name in names or (name and len(names) > 1):
                dim.dim_param = name  # it depends on an axis that was the same in all runs
            else:
                dim.dim_value = size


def dims(model: onnx.ModelProto) -> dict[str, list[int | str]]:
    """Sizes or names of the axes, by input."""
    return {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in model.graph.input
    }


def _loosen(graph: onnx.GraphProto) -> None:
    constants = {t.name: t for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].HasField("t"):
            constants[node.output[0]] = node.attribute[0].t
    for node in [node for node in graph.node if node.op_type == "Reshape"]:
        shape = constants.get(node.input[1])
        if shape is None:
            continue
        values = numpy_helper.to_array(shape).copy()
        if not values.size or values[0] != 1:
            continue
        # The size that is left over, or, where that is taken, the input's own.
        values[0] = 0 if -1 in values else -1
        name = f"{node.output[0]}.shape"
        graph.initializer.append(numpy_helper.from_array(values.astype(np.int64), name))
        node.input[1] = name


def _inferred(model: onnx.ModelProto) -> onnx.ModelProto:
    """The outputs' shapes, from the inputs'; where that fails, they stay unknown."""
    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception:  # noqa: BLE001 - its errors have no common class; shapes are measured later
        return model
    for value, other in zip(model.graph.output, inferred.graph.output, strict=True):
        value.CopyFrom(other)
    return model
