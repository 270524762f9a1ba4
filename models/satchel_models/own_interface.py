"""The face of a model of one's own: what its task gives and takes goes into the graph."""

from collections.abc import Sequence

import onnx

from satchel_models import photo_interface
from satchel_models.own_recipe import OwnEmbedRecipe, OwnLabelRecipe, OwnRecipe
from satchel_models.photo_face import PhotoFace
from satchel_models.photo_shape import size
from satchel_models.text_interface import with_text_interface


def with_interface(model: onnx.ModelProto, recipe: OwnRecipe) -> onnx.ModelProto:
    """`model` as its task wants it; that of a tensors recipe stays as it is.

    Raises:
        ModelError: The model isn't of the kind that its task needs.
    """
    if isinstance(recipe, OwnLabelRecipe):
        return photo_interface.with_photo_interface(model, recipe)
    if isinstance(recipe, OwnEmbedRecipe):
        return with_text_interface(model, recipe)
    return model


def face(model: onnx.ModelProto, recipe: OwnRecipe, example: Sequence[int]) -> PhotoFace | None:
    """A label model's face for converters that begin at the original; None: it has none."""
    if isinstance(recipe, OwnLabelRecipe):
        return photo_interface.face(model, recipe, example)
    return None


def resolutions(recipe: OwnRecipe) -> tuple[int, ...]:
    """Sides of square photos (pixels) that a variant is for, where its input doesn't say."""
    sides = size(recipe.label) if isinstance(recipe, OwnLabelRecipe) else None
    return (sides[0],) if sides and sides[0] == sides[1] else ()
