"""Made-up tensors: the same on every machine, for golden sets and for trying a model out.

Whole-number arithmetic only (SplitMix64: Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195),
so that no library's generator is asked and none can change.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel.errors import InputTypeError
from satchel.tensors import TensorSpec

__all__ = ["generated", "shape_of"]


def shape_of(spec: TensorSpec, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """A tensor's shape with a size for each dynamic axis, by its name; 1 where there is none."""
    return tuple(side if isinstance(side, int) else sizes.get(side, 1) for side in spec.shape)


def generated(
    spec: TensorSpec, seed: int = 0, sizes: Mapping[str, int] | None = None
) -> NDArray[Any]:
    """Numbers for an input.

    Args:
        spec: The input.
        seed: Another one gives other numbers.
        sizes: Of dynamic axes, by name.

    Returns:
        Floats from −1 up to 1; 8-bit integers over their whole range; 0 and 1 for other integers,
        which may be indices or masks, and for booleans.

    Raises:
        InputTypeError: The input takes text.

    >>> generated(TensorSpec("x", np.dtype(np.float32), ("batch", 2)), sizes={"batch": 1})
    array([[ 0.7666216 , -0.13694406]], dtype=float32)
    """
    if spec.dtype.kind == "O":
        raise InputTypeError(
            f"Input '{spec.name}' takes text, and nobody makes that up",
            todo="Give it as JSON",
        )
    shape = shape_of(spec, sizes or {})
    bits = _bits(math.prod(shape), seed).reshape(shape)
    if spec.dtype.kind == "f":
        # 24 bits: what a float32 holds exactly.
        return ((bits >> np.uint64(40)).astype(np.float64) / 2**23 - 1).astype(spec.dtype)
    if spec.dtype.itemsize == 1 and spec.dtype.kind in "iu":
        return (bits >> np.uint64(56)).astype(np.uint8).view(spec.dtype)
    return (bits >> np.uint64(63)).astype(spec.dtype)


def _bits(count: int, seed: int) -> NDArray[np.uint64]:
    golden = 0x9E3779B97F4A7C15
    start = np.uint64((seed * 0xD1342543DE82EF95 + golden) % 2**64)
    x = np.arange(count, dtype=np.uint64) * np.uint64(golden) + start
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
