"""Making axes of a graph dynamic: the batch where that is sound, others where they are wanted."""

from collections.abc import Mapping
from dataclasses import replace

import onnx

from satchel_models.convert import dynamic, graphs, samples
from satchel_models.convert.samples import BATCH, Input
from satchel_models.convert.work import Work
from satchel_models.errors import ConversionError

Names = dict[str, dict[int, str]]
"""Names of dynamic axes, by input and axis."""


def batch(work: Work) -> None:
    """Make the first axis dynamic, or keep it from being called so where it isn't."""
    if all(each.axis is None for each in work.inputs):
        return
    if samples.batch_axes(graphs.specs(work.model.graph.input, work.original.path)):
        if not work.takes_two(work.model):
            work.model = _pinned(work)
            work.notes.append(
                "Its batch is called dynamic, and a batch of two isn't answered as two of one: it "
                "is fixed at 1."
            )
        return
    rows = {each.shape[each.axis] for each in work.inputs if each.axis is not None}
    if rows != {1}:
        work.notes.append(f"Its batch is fixed at {max(rows)}.")
        return
    names = {each.name: {0: BATCH} for each in work.inputs if each.axis is not None}
    for reshapes in (False, True):
        tried = dynamic.with_axes(work.model, names, reshapes=reshapes)
        if work.takes_two(tried):
            work.model = tried
            return
    work.notes.append("Its batch is fixed at 1: a batch of two isn't answered as two of one.")


def others(work: Work) -> None:
    """Make the axes dynamic that the developer names.

    Raises:
        ConversionError: There is no such axis, or the graph doesn't run with another size of it.
    """
    names = _wanted(work)
    if not names:
        return
    failed: ConversionError | None = None
    for reshapes in (False, True):
        tried = dynamic.with_axes(work.model, names, reshapes=reshapes)
        larger = samples.draw([_larger(each, names.get(each.name, {})) for each in work.inputs], 0)
        try:
            graphs.run(graphs.session(tried, work.folder, work.name), larger, work.name)
        except ConversionError as error:
            failed = error
            continue
        work.model = tried
        return
    shown = ", ".join(f"{name} {axis}" for name, axes in names.items() for axis in axes)
    raise ConversionError(
        f"{work.name} doesn't run with another size of what is to be dynamic ({shown}). "
        f"Export it with these axes dynamic. {failed}"
    ) from failed


def _wanted(work: Work) -> Names:
    """What is to become dynamic and isn't yet."""
    dims = dynamic.dims(work.model)
    names: Names = {}
    for name, axes in (work.original.dynamic or {}).items():
        for axis in axes:
            if name not in dims or not 0 <= axis < len(dims[name]):
                shown = ", ".join(f"{key} {value}" for key, value in dims.items())
                raise ConversionError(
                    f"{work.name} has no axis {axis} of an input {name}; its inputs: {shown}."
                )
            if isinstance(dims[name][axis], int):
                names.setdefault(name, {})[axis] = f"{name}_{axis}"
    return names


def _larger(each: Input, axes: Mapping[int, str]) -> Input:
    return replace(
        each, shape=tuple(size * (1 + (axis in axes)) for axis, size in enumerate(each.shape))
    )


def _pinned(work: Work) -> onnx.ModelProto:
    model = onnx.ModelProto()
    model.CopyFrom(work.model)
    for value, each in zip(model.graph.input, work.inputs, strict=True):
        if each.axis is not None:
            value.type.tensor_type.shape.dim[each.axis].dim_value = each.shape[each.axis]
    return model
