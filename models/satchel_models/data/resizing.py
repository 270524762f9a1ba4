"""Images inside a model's inputs at another size: for candidates that look at less."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel_models.data.feeds import Feeds
from satchel_models.steps import Spec

CHANNELS = (3, 1, 4)
"""Of images: colour, grey, colour with an alpha."""

STEPS = (6 / 7, 5 / 7, 4 / 7)
"""Of a ladder: 192, 160 and 128 where 224 pixels are usual."""

MULTIPLE = 32
"""Sides are multiples of this: nets halve an image five times."""


def channel_axis(shape: Sequence[int | str]) -> int | None:
    """Which axis of [batch, …] holds an image's channels: 1 or 3; None: it is no image.

    >>> channel_axis(("batch", 3, 224, 224)), channel_axis((1, 224, 224, 3))
    (1, 3)
    """
    if len(shape) != 4:
        return None
    return next(
        (axis for count in CHANNELS for axis in (1, 3) if shape[axis] == count),
        None,
    )


def ladder(inputs: Sequence[Spec], examples: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Smaller sides of a model's images that are worth a try, largest first; (): none.

    Args:
        inputs: The model's.
        examples: Sizes that it runs with.
    """
    for spec, example in zip(inputs, examples, strict=False):
        channels = channel_axis(spec.shape)
        if channels is None:
            continue
        sides = [axis for axis in (1, 2, 3) if axis != channels]
        full = min(example[axis] for axis in sides)
        steps = (round(full * share / MULTIPLE) * MULTIPLE for share in STEPS)
        return tuple(dict.fromkeys(side for side in steps if MULTIPLE < side < full))
    return ()


def resized(feeds: Feeds, side: int) -> Feeds:
    """Inputs with each image `side` × `side` pixels, by Pillow's bicubic filter."""
    return {name: _resized(value, side) for name, value in feeds.items()}


def _resized(value: NDArray[Any], side: int) -> NDArray[Any]:
    from PIL import Image

    channels = channel_axis(value.shape)
    if channels is None:
        return value
    planes = np.moveaxis(value, channels, 1).astype(np.float32)
    made = np.stack(
        [
            [
                np.asarray(Image.fromarray(p).resize((side, side), Image.Resampling.BICUBIC))
                for p in image
            ]
            for image in planes
        ]
    )
    if value.dtype.kind in "iu":
        limits = np.iinfo(value.dtype)
        made = made.round().clip(limits.min, limits.max)
    return np.ascontiguousarray(np.moveaxis(made.astype(value.dtype), 1, channels))
