"""Golden sets: inputs whose right answers are known, to tell a sound model from a broken one.

The inputs are made, not photographed: patterns of random patches at several scales, which
compress to a few kilobytes and are the same on every machine (whole-number arithmetic only).
A golden file (`.npz`) holds, for k = 0, 1, …: `input_k` uint8 [batch, height, width, 3],
`original_k` float32 [batch, classes] (the PyTorch original's probabilities) and `artefact_k`
(the shipped file's, ONNX Runtime on the CPU).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# (batch, height, width): the usual size, and one that shows batch, height and width dynamic.
SHAPES = ((2, 224, 224), (1, 160, 192))
# Sides of the patches (pixels).
PATCHES = (32, 16, 4)


@dataclass(frozen=True)
class Case:
    """One input and its two answers; see the module for shapes."""

    input: NDArray[np.uint8]
    original: NDArray[np.float32]
    artefact: NDArray[np.float32]


def inputs(
    seed: int = 0, shapes: Sequence[tuple[int, int, int]] = SHAPES
) -> list[NDArray[np.uint8]]:
    """The golden inputs: one uint8 [batch, height, width, 3] for each of `shapes`.

    >>> [image.shape for image in inputs()]
    [(2, 224, 224, 3), (1, 160, 192, 3)]
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    images = []
    for batch, height, width in shapes:
        total = np.zeros((batch, height, width, 3), np.int32)
        for side in PATCHES:
            coarse = generator.integers(
                0, 256, (batch, -(-height // side), -(-width // side), 3), dtype=np.int32
            )
            # Large patches weigh most, as in photos.
            patches = coarse.repeat(side, axis=1).repeat(side, axis=2) * side
            total += patches[:, :height, :width]
        images.append((total // sum(PATCHES)).astype(np.uint8))
    return images


def save(path: Path, cases: list[Case]) -> None:
    """Write `cases` to `path` (`.npz`)."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for k, case in enumerate(cases):
        arrays[f"input_{k}"] = case.input
        arrays[f"original_{k}"] = case.original
        arrays[f"artefact_{k}"] = case.artefact
    np.savez_compressed(path, allow_pickle=False, **arrays)


def load(path: Path) -> list[Case]:
    """Read what `save` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return [
            Case(arrays[f"input_{k}"], arrays[f"original_{k}"], arrays[f"artefact_{k}"])
            for k in range(len(arrays.files) // 3)
        ]


def cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """The smallest cosine similarity between the rows of `a` and those of `b`."""
    product = (a * b).sum(axis=1)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float((product / lengths).min())
