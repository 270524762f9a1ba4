"""Host side: how models are made small and fast for devices, one step a module.

`EdgeOptimizer` runs them all; recipes (`recipe`) say what a model is and where it comes from. What
runs on the device lives in `satchel`, how a site is put together in `builder`.
"""

from typing import TYPE_CHECKING, Any

from satchel_models.errors import ModelError
from satchel_models.recipe import Recipe

if TYPE_CHECKING:
    from satchel_models.optimizer import EdgeOptimizer
    from satchel_models.results import OptimizationReport

__all__ = ["EdgeOptimizer", "ModelError", "OptimizationReport", "Recipe"]


def __getattr__(name: str) -> Any:
    # Recipes are read with the standard library alone, before anything is installed.
    if name == "EdgeOptimizer":
        from satchel_models.optimizer import EdgeOptimizer

        return EdgeOptimizer
    if name == "OptimizationReport":
        from satchel_models.results import OptimizationReport

        return OptimizationReport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
