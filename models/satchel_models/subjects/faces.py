"""A converted graph with the face that its task needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import onnx

from satchel_models.convert.graphs import specs
from satchel_models.data.resizing import channel_axis
from satchel_models.steps import Converted, Spec


def refaced(converted: Converted, model: onnx.ModelProto) -> Converted:
    """The conversion's result with another graph in its file, which takes photos or the same."""
    onnx.save(model, converted.file)
    inputs = specs(model.graph.input, converted.file)
    photos = [spec.name for spec in inputs] != [spec.name for spec in converted.inputs]
    return replace(
        converted,
        inputs=inputs,
        outputs=specs(model.graph.output, converted.file),
        nodes=len(model.graph.node),
        examples=(_photo(inputs[0], converted.examples[0]),) if photos else converted.examples,
    )


def _photo(photo: Spec, example: Sequence[int]) -> tuple[int, ...]:
    """Sizes of a photo, [batch, height, width, 3], where the network ran with such an example."""
    axis = channel_axis(example)
    known = [side for k, side in enumerate(example) if k not in (0, axis)]
    sides = [size if isinstance(size, int) else known[k] for k, size in enumerate(photo.shape[1:3])]
    return (1, *sides, 3)
