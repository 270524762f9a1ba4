"""What is asked for when LiteRT's candidates are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from satchel_models.convert import Original
from satchel_models.litert.exchange import Ranges
from satchel_models.steps import Converted

if TYPE_CHECKING:
    from satchel_models.quantisation import Material

ALL = "litert"
"""What is rejected where nothing can be made at all."""

RANGES = "ranges.json"
"""Beside the candidates: ranges of activations by tensor, as they were calibrated."""


class NoEnvironmentError(Exception):
    """An environment can't be made now: that is no result, and another run may have more luck."""


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Attributes:
        original: What the developer gave; None: a network that was built from weights alone.
        converted: Step 1's result.
        level: How many candidates.
        material: Inputs for calibration and trials.
        ranges: Of activations, from an earlier calibration; None: the inputs give them.
    """

    original: Original | None
    converted: Converted
    level: str
    material: Material
    ranges: Ranges | None = None
