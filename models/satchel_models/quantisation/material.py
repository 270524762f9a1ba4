"""What candidates are calibrated and tried with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from satchel_models.steps import Feeds


@dataclass(frozen=True)
class Material:
    """Inputs for step 3, of the part of the data that neither selects nor reports.

    Attributes:
        calibrate: Inputs, as the model takes them.
        generated: Whether they were made up, for want of data.
        seed: Of all that is random.
        ladder: Sides of square inputs in pixels that are worth a try; () for none.
        resize: Gives inputs the size of another side; None: they can't be resized.
    """

    calibrate: Sequence[Feeds]
    generated: bool
    seed: int = 0
    ladder: tuple[int, ...] = ()
    resize: Callable[[Feeds, int], Feeds] | None = None


def sample(material: Material, count: int) -> list[Feeds]:
    """So many of the inputs, at most; always the same ones for the same seed."""
    if len(material.calibrate) <= count:
        return list(material.calibrate)
    generator = np.random.default_rng(material.seed)
    chosen = sorted(generator.choice(len(material.calibrate), count, replace=False).tolist())
    return [material.calibrate[k] for k in chosen]
