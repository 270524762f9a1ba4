"""How much memory models take where nobody measured it, and how little some devices have."""

from __future__ import annotations

__all__ = ["FOOTPRINT", "PIXEL", "SMALL_MEMORY", "footprint"]

SMALL_MEMORY = 2.0
"""GiB of device memory at or below which a device is small. A page with Python and an engine takes
270 MB before its first large model (docs/benchmarks/inference.md)."""

FOOTPRINT = 4
"""Bytes of memory for each byte of a model's file where nobody measured it: int8 weights that are
unfolded to float32 when they are loaded take four times as much."""

PIXEL = 100
"""Bytes for each pixel of a photo: EfficientNet-lite0's widest layer has 96 channels of float32 at
half of the photo's height and width, and most of it runs with two such layers at hand."""


def footprint(size: int, side: int | None = None) -> int:
    """Bytes of memory that a model is taken to need once it is loaded.

    Args:
        size: Bytes of its file.
        side: Height and width of the photos that it sees, in pixels; None: it sees none.

    >>> footprint(4_900_000, 224)
    24617600
    """
    return FOOTPRINT * size + PIXEL * (side or 0) ** 2
