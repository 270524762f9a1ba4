"""A sentence encoder's face to the device: token ids in, one vector of length 1 a text out.

The page's embed task gives `input_ids` and, where the model wants them, `attention_mask` and
`token_type_ids`, int64 [batch, sequence]. Encoders as transformers exports them give a vector for
each token: their mean over the text (or the first one), and its length, go into the graph.
"""

import numpy as np
import onnx
from onnx import TensorProto

from satchel_models.errors import TaskError
from satchel_models.face import Face, Value, inputs_of, outputs_of
from satchel_models.own_recipe import OwnEmbedRecipe

IDS, MASK, TYPES = "input_ids", "attention_mask", "token_type_ids"
EMBEDDING = "embedding"

SHORTEST = 1e-12
"""Length below which a vector has no direction (as in torch.nn.functional.normalize)."""


def with_text_interface(model: onnx.ModelProto, recipe: OwnEmbedRecipe) -> onnx.ModelProto:
    """`model` as a graph from token ids to one vector a text.

    Args:
        model: An encoder; opset 13 or newer.
        recipe: How its tokens become one vector.

    Returns:
        A graph with the model's inputs and the output `embedding`, float32 [batch, width], rows of
        length 1.

    Raises:
        TaskError: The model is no such encoder.
    """
    face = Face(model, recipe.id)
    taken = {value.name: value for value in inputs_of(face.graph)}
    _check_inputs(recipe, taken)
    found = _output(recipe, outputs_of(face.graph))
    pooling = recipe.embed.pooling or ("none" if len(found.shape or ()) == 2 else "mean")
    if pooling == "mean" and MASK not in taken:
        raise TaskError(
            f"{recipe.id} takes no {MASK}, so that nobody could tell a text's tokens from what "
            'fills them up. Export it with one, or write pooling = "cls" in [embed].'
        )
    face.behind()
    x = found.name
    if found.dtype != np.float32:
        x = face.cast(x, np.float32)
    if pooling == "cls":
        x = face.node("Gather", x, face.constant(np.array(0, np.int64)), axis=1)
    elif pooling == "mean":
        x = _mean(face, x)
    length = face.node("ReduceL2", x, axes=[1], keepdims=1) if face.opset < 18 else face.node(
        "ReduceL2", x, face.constant(np.array([1], np.int64)), keepdims=1
    )  # fmt: skip
    floor = face.constant(np.array(SHORTEST, np.float32))
    x = face.node("Div", x, face.node("Max", length, floor))
    width = (found.shape or ("width",))[-1]
    face.leave(x, EMBEDDING, TensorProto.FLOAT, ["batch", width])
    return face.done()


def _mean(face: Face, x: str) -> str:
    """The mean of a text's own tokens."""
    mask = face.cast(MASK, np.float32)
    mask = face.node("Unsqueeze", mask, face.constant(np.array([2], np.int64)))
    axis = face.constant(np.array([1], np.int64))
    total = face.node("ReduceSum", face.node("Mul", x, mask), axis, keepdims=0)
    count = face.node("ReduceSum", mask, axis, keepdims=0)
    return face.node("Div", total, face.node("Max", count, face.constant(np.array(1, np.float32))))


def _check_inputs(recipe: OwnEmbedRecipe, taken: dict[str, Value]) -> None:
    told = ", ".join(f"{name}: {value.describe()}" for name, value in taken.items())
    known = set(taken) <= {IDS, MASK, TYPES} and IDS in taken
    if not known or any(value.dtype != np.int64 for value in taken.values()):
        raise TaskError(
            f"{recipe.id} takes {told or 'nothing'}, but an embed model takes {IDS} and perhaps "
            f"{MASK} and {TYPES}: int64 [batch, sequence]. Export it with these names and types."
        )


def _output(recipe: OwnEmbedRecipe, given: list[Value]) -> Value:
    """The output that holds the vectors: a text's own, where there is one, or each token's."""
    ranks = {"none": (2,), "": (2, 3)}.get(recipe.embed.pooling, (3,))
    found = [
        one
        for one in given
        if one.dtype.kind == "f"
        and one.shape is not None
        and len(one.shape) in ranks
        and isinstance(one.shape[-1], int)
    ]
    if len(found) > 1:  # transformers names it so
        found = [one for one in found if one.name == "last_hidden_state"] or found
    if len(found) != 1:
        told = ", ".join(f"{one.name}: {one.describe()}" for one in given)
        raise TaskError(
            f"{recipe.id} gives {told or 'nothing'}, but an embed model gives one output of "
            "floats, [batch, sequence, width] or [batch, width]. Export it with that one alone."
        )
    return found[0]
