"""Whether a graph answers as its original does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satchel_models.errors import NumericsError

TOLERANCE = 1e-3
"""Largest difference, as a share of the output's largest value. Float32 sums in another order
differ by 1e-6 to 1e-4."""

LOOSE = 2e-2
"""The same for a batch against its samples alone: other kernels run there, and a graph that mixes
samples is further off."""

SMALLEST = 1e-6
"""Differences below this don't count, whatever the outputs are."""

FLIPPED = 0.01
"""Share of an output's whole numbers that may differ: a tie falls either way."""

Arrays = Sequence[NDArray[np.generic]]


@dataclass(frozen=True)
class Case:
    """One inference.

    Attributes:
        feeds: Inputs by name.
        answers: The original's outputs, in order.
        batch: How many samples are in it.
    """

    feeds: Mapping[str, NDArray[np.generic]]
    answers: Arrays
    batch: int = 1


def compare(subject: str, right: Arrays, found: Arrays, tolerance: float = TOLERANCE) -> float:
    """The largest difference as a share of an output's largest value.

    Args:
        subject: What is compared, for the error's sentence.
        right: The original's outputs.
        found: The graph's.
        tolerance: Largest difference, as a share of the output's largest value.

    Raises:
        NumericsError: Outputs differ in number, shape or sort, or by more than `tolerance`.
    """
    if len(right) != len(found):
        raise NumericsError(
            f"{subject} has {len(found)} outputs where the original has {len(right)}."
        )
    return max(
        (
            _difference(f"{subject}, output {k}", a, b, tolerance)
            for k, (a, b) in _pairs(right, found)
        ),
        default=0.0,
    )


def _pairs(
    right: Arrays, found: Arrays
) -> enumerate[tuple[NDArray[np.generic], NDArray[np.generic]]]:
    return enumerate(zip(right, found, strict=True))


def _difference(
    subject: str, right: NDArray[np.generic], found: NDArray[np.generic], tolerance: float
) -> float:
    if right.shape != found.shape:
        raise NumericsError(
            f"{subject}: the shape is {found.shape}, the original's is {right.shape}."
        )
    if right.dtype.kind not in "fc":
        share = float(np.mean(right != found)) if right.size else 0.0
        if share > FLIPPED:
            raise NumericsError(
                f"{subject}: {share:.1%} of its values differ from the original's, more than "
                f"{FLIPPED:.0%}."
            )
        return share
    if not np.array_equal(np.isfinite(right), np.isfinite(found)):
        raise NumericsError(f"{subject}: infinite or undefined values where the original has none.")
    finite = np.isfinite(right)
    a, b = right[finite].astype(np.float64), found[finite].astype(np.float64)
    largest = float(np.abs(a).max(initial=0.0))
    difference = float(np.abs(a - b).max(initial=0.0))
    if difference > tolerance * largest + SMALLEST:
        raise NumericsError(
            f"{subject}: it differs by {difference:.2g} from the original, whose largest value is "
            f"{largest:.2g}; {tolerance * largest + SMALLEST:.2g} is allowed."
        )
    return difference / largest if largest else 0.0
