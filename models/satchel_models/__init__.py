"""Host side: how Satchel's models are made from their originals, one step a module.

source → export → graph → quantise → interface → golden; `rebuild` runs them for a recipe.
What runs on the device lives in `satchel`, how a site is put together in `builder`.
"""

from satchel_models.errors import ModelError
from satchel_models.recipe import Recipe

__all__ = ["ModelError", "Recipe"]
