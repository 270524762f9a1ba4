"""Seeded random inputs: what an original and its graph are compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satchel_models.steps import Spec

BATCH = "batch"
"""The name of the dynamic first axis, where it has none yet."""

FEW = 2
"""Whole numbers stay below this where nobody says how large they may be: right for masks and ids
alike."""


@dataclass(frozen=True)
class Input:
    """How to fill one input.

    Attributes:
        name: In the graph.
        dtype: NumPy's name.
        shape: Sizes for a batch of one.
        axis: Of the batch; None: it has no batch.
        below: What whole numbers stay below.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    axis: int | None
    below: int = FEW


def batch_axes(inputs: Sequence[Spec]) -> dict[str, int]:
    """Where the batch is, by input: the axes that are named as the first axis of the first one."""
    first = next((spec.shape[0] for spec in inputs if spec.shape), None)
    if not isinstance(first, str):
        return {}
    return {spec.name: spec.shape.index(first) for spec in inputs if first in spec.shape}


def batched(shapes: Mapping[str, tuple[int, ...]]) -> tuple[str, ...]:
    """Inputs whose first axis is the batch, told by example shapes.

    The batch's size is that of the first input with two axes or more; where there is none, 1.
    """
    size = next((shape[0] for shape in shapes.values() if len(shape) > 1), 1)
    return tuple(name for name, shape in shapes.items() if shape and shape[0] == size)


def draw(inputs: Sequence[Input], seed: int) -> dict[str, NDArray[np.generic]]:
    """One sample: a batch of one.

    Floats are normally distributed, bytes uniformly, other whole numbers 0 … `below` - 1; a mask
    is ones, then zeros: padding on the right.
    """
    random = np.random.default_rng(seed)
    return {each.name: _filled(random, each) for each in inputs}


def joined(
    inputs: Sequence[Input], samples: Sequence[Mapping[str, NDArray[np.generic]]]
) -> dict[str, NDArray[np.generic]]:
    """Samples as one batch; inputs without a batch are the first sample's."""
    return {
        each.name: samples[0][each.name]
        if each.axis is None
        else np.concatenate([sample[each.name] for sample in samples], each.axis)
        for each in inputs
    }


def _filled(random: np.random.Generator, each: Input) -> NDArray[np.generic]:
    kind = np.dtype(each.dtype)
    if kind.kind == "f":
        return np.asarray(random.standard_normal(each.shape), kind)
    if each.name.endswith("mask") and each.shape and kind.kind in "biu":
        length = random.integers(1, each.shape[-1] + 1, (*each.shape[:-1], 1))
        return np.asarray(np.arange(each.shape[-1]) < length, kind)
    if kind.kind == "b":
        return np.asarray(random.integers(0, 2, each.shape), kind)
    most = 256 if kind == np.uint8 else each.below
    return np.asarray(random.integers(0, most, each.shape), kind)
