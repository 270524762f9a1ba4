"""A label recipe's original, as step 1 takes it."""

from pathlib import Path

from satchel_models import source
from satchel_models.convert.original import Original
from satchel_models.export import LOGITS, PIXELS
from satchel_models.label_recipe import LabelRecipe


def original(recipe: LabelRecipe, cache: Path) -> Original:
    """The original of a recipe; its packages come to `cache` where they are missing.

    It is the network alone, from `pixels` (float32 [batch, 3, height, width]) to
    `logits`; `satchel_models.interface` gives it the face that devices see.

    Raises:
        SourceError: pip fails, or a file is not the one that the recipe names.
    """
    height, width = recipe.export.trace
    return Original(
        source.weights(recipe.source, cache),
        factory=recipe.source.model,
        arguments=recipe.source.arguments,
        places=(cache,),
        inputs={PIXELS: ((1, 3, height, width), "float32")},
        outputs=(LOGITS,),
        dynamic={PIXELS: (2, 3)},
        opset=recipe.export.opset,
    )
