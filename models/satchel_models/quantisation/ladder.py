"""The resolution ladder: the same file, fed smaller images.

Fully convolutional networks take any size, at a cost in accuracy that is measured and shown, never
chosen for a developer. A file with a fixed size gets a free one, if the graph bears it.
"""

from collections.abc import Mapping

import onnx

from satchel_models.steps import Feeds


def moving_axes(feeds: Feeds, smaller: Feeds) -> dict[str, tuple[int, ...]]:
    """Axes whose sizes another resolution changes, by input."""
    found = {}
    for name, value in feeds.items():
        other = smaller[name].shape if name in smaller else value.shape
        axes = tuple(k for k, (a, b) in enumerate(zip(value.shape, other, strict=True)) if a != b)
        if axes:
            found[name] = axes
    return found


def freed(model: onnx.ModelProto, axes: Mapping[str, tuple[int, ...]]) -> onnx.ModelProto | None:
    """`model` whose inputs have names instead of sizes on these axes; None: it had already."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    changed = False
    for value in result.graph.input:
        for axis in axes.get(value.name, ()):
            dim = value.type.tensor_type.shape.dim[axis]
            if dim.HasField("dim_value"):
                dim.dim_param = f"{value.name}_{axis}"
                changed = True
    if not changed:
        return None
    for value in result.graph.output:
        for dim in value.type.tensor_type.shape.dim[1:]:
            # A classifier's output keeps its size, a map's doesn't; a name promises neither.
            if dim.HasField("dim_value") and len(value.type.tensor_type.shape.dim) > 2:
                dim.ClearField("dim_value")
    return result
