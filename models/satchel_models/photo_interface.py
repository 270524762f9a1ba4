"""A classifier's face to the device: a photo in, probabilities out, whatever the network takes.

The page's label task gives uint8 [batch, height, width, 3], RGB, and reads float32
[batch, classes]. What lies between that and the network (colours, layout, normalisation, softmax)
goes into the graph, where it can be got wrong once at most. What the network wants is read from its
input's shape, and from the recipe where that leaves it open.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from satchel_models.errors import TaskError
from satchel_models.face import Face, Value, inputs_of, outputs_of
from satchel_models.own_recipe import OwnLabelRecipe
from satchel_models.photo_face import LUMA, PhotoFace
from satchel_models.photo_shape import Seen, seen, size

Kind = np.dtype[Any]

IMAGE = "image"
PROBABILITIES = "probabilities"


def with_photo_interface(model: onnx.ModelProto, recipe: OwnLabelRecipe) -> onnx.ModelProto:
    """`model` as a graph from photos to probabilities.

    Args:
        model: One photo in, a number for each class out; opset 13 or newer.
        recipe: What the photo goes through, and the labels.

    Returns:
        A graph with the input `image`, uint8 [batch, height, width, 3], and the output
        `probabilities`, float32 [batch, classes]; fixed sizes stay fixed.

    Raises:
        TaskError: The model does something else, or its recipe says something else of it.
        RecipeError: The labels can't be read.
    """
    face = Face(model, recipe.id)
    taken = inputs_of(face.graph)
    if len(taken) != 1:
        raise TaskError(
            f"{recipe.id} takes {len(taken)} inputs ({_listed(taken)}), but a label model takes "
            'one photo. Export it with one input, or give it the task "tensors".'
        )
    photo = seen(taken[0], recipe)
    classes, found = _scores(face, recipe)
    _front(face, photo, recipe)
    _back(face, found, classes, recipe, photo.batch)
    return face.done()


def face(
    model: onnx.ModelProto, recipe: OwnLabelRecipe, example: Sequence[int]
) -> PhotoFace | None:
    """The same for converters that begin at the original.

    Args:
        model: The network's graph, without a face.
        recipe: What the photo goes through, and the labels.
        example: Sizes of the network's input that it runs with.

    Returns:
        None: it takes whole numbers, which only the graph's face makes of a photo.

    Raises:
        TaskError: The model does something else, or its recipe says something else of it.
    """
    inner = Face(model, recipe.id)
    photo = seen(inputs_of(inner.graph)[0], recipe)
    if photo.input.dtype != np.float32:
        return None
    classes, found = _scores(inner, recipe)
    sides = size(recipe.label) or (example[2:4] if photo.layout == "nchw" else example[1:3])
    mean, scale = _affine(recipe, photo)
    return PhotoFace(
        height=sides[0],
        width=sides[1],
        classes=classes,
        mean=tuple(mean),
        scale=tuple(scale),
        colour=photo.colour,
        layout=photo.layout,
        rank=photo.rank,
        output=[one.name for one in outputs_of(inner.graph)].index(found.name),
        softmax=recipe.label.output == "logits",
        image=IMAGE,
        probabilities=PROBABILITIES,
    )


def _front(face: Face, photo: Seen, recipe: OwnLabelRecipe) -> None:
    image = face.value(IMAGE)
    x, kind = _coloured(face, photo, image)
    if photo.layout == "nchw":
        x = face.node("Transpose", x, perm=[0, 3, 1, 2])
    x, kind = _normalised(face, photo, recipe, x, kind)
    if kind != photo.input.dtype:
        x = _typed(face, x, kind, photo.input.dtype)
    if photo.rank == 3:
        x = face.node("Squeeze", x, face.constant(np.array([3], np.int64)))
    elif photo.rank == 2:
        x = face.node("Flatten", x, axis=1)
    shape = [photo.batch, photo.height, photo.width, 3]
    face.enter(photo.input.name, image, x, TensorProto.UINT8, shape)


def _coloured(face: Face, photo: Seen, x: str) -> tuple[str, Kind]:
    """The network's colours, [batch, height, width, channels], and their dtype."""
    if photo.colour == "grey":
        x = face.cast(x, np.float32)
        x = face.node("Mul", x, face.constant(np.array(LUMA, np.float32)))
        axis = face.constant(np.array([3], np.int64))
        return face.node("ReduceSum", x, axis, keepdims=1), np.dtype(np.float32)
    if photo.colour == "bgr":
        x = face.node("Gather", x, face.constant(np.array([2, 1, 0], np.int64)), axis=3)
    return x, np.dtype(np.uint8)


def _normalised(
    face: Face, photo: Seen, recipe: OwnLabelRecipe, x: str, kind: Kind
) -> tuple[str, Kind]:
    mean, scale = (np.array(values, np.float32) for values in _affine(recipe, photo))
    if not mean.any() and (scale == 1).all():
        return x, kind
    if kind != np.float32:
        x = face.cast(x, np.float32)
    if photo.layout == "nchw":
        mean, scale = mean.reshape(-1, 1, 1), scale.reshape(-1, 1, 1)
    if mean.any():
        x = face.node("Sub", x, face.constant(mean))
    if (scale != 1).any():
        x = face.node("Mul", x, face.constant((1 / scale).astype(np.float32)))
    return x, np.dtype(np.float32)


def _typed(face: Face, x: str, kind: Kind, dtype: Kind) -> str:
    if kind.kind == "f" and dtype.kind in "iu":
        x = face.node("Round", x)
        limits = np.iinfo(dtype)
        if limits.bits <= 16:  # a cast from outside the range may give anything
            bounds = (np.float32(limits.min), np.float32(limits.max))
            x = face.node("Clip", x, *(face.constant(np.array(bound)) for bound in bounds))
    return face.cast(x, dtype)


def _affine(recipe: OwnLabelRecipe, photo: Seen) -> tuple[Sequence[float], Sequence[float]]:
    for name in ("mean", "scale"):
        given = getattr(recipe.label, name)
        if len(given) not in (1, photo.channels):
            raise TaskError(
                f"{recipe.id}: label.{name} has {len(given)} numbers, but the model takes "
                f"{photo.channels} channel: write one number."
            )
    return recipe.label.mean, recipe.label.scale


def _scores(face: Face, recipe: OwnLabelRecipe) -> tuple[int, Value]:
    """How many classes there are, and the output that has a number for each."""
    labels = recipe.labels
    given = outputs_of(face.graph)
    scores = [one for one in given if one.dtype.kind == "f" and _classes(one) != 0]
    right = [one for one in scores if _classes(one) in (len(labels), None)]
    if len(right) == 1:
        return len(labels), right[0]
    if not scores:
        raise TaskError(
            f"{recipe.id} gives {_listed(given)}, but a label model gives a number for each class: "
            'floats [batch, classes]. Export its scores, or give it the task "tensors".'
        )
    if not right:
        counts = " or ".join(str(_classes(one)) for one in scores)
        raise TaskError(
            f"{recipe.id} tells {counts} classes apart, but {recipe.folder / recipe.label.labels} "
            f"lists {len(labels)}. Write a name for each class, in the model's order."
        )
    raise TaskError(
        f"{recipe.id} has {len(right)} outputs that could be its scores ({_listed(right)}). Export "
        "it with the one that counts."
    )


def _classes(output: Value) -> int | None:
    """How many classes an output can tell apart: None where its shape doesn't say, 0 for none."""
    shape = output.shape
    if shape is None:
        return None
    if len(shape) == 1:
        return shape[0] if isinstance(shape[0], int) and shape[0] > 1 else 0
    if len(shape) < 2 or any(size != 1 for size in shape[2:]):
        return 0
    return shape[1] if isinstance(shape[1], int) else None


def _back(face: Face, found: Value, classes: int, recipe: OwnLabelRecipe, batch: int | str) -> None:
    x = found.name
    if found.shape is not None and len(found.shape) == 1:
        x = face.node("Unsqueeze", x, face.constant(np.array([0], np.int64)))
    elif found.shape is not None and len(found.shape) > 2:
        x = face.node("Flatten", x, axis=1)
    if found.dtype != np.float32:
        x = face.cast(x, np.float32)
    if recipe.label.output == "logits":
        x = face.node("Softmax", x, axis=-1)
    face.leave(x, PROBABILITIES, TensorProto.FLOAT, [batch, classes])


def _listed(values: Sequence[Value]) -> str:
    return ", ".join(f"{value.name}: {value.describe()}" for value in values) or "nothing"
