"""What a label task puts around a network, for converters that begin at the original again.

The ONNX graph gets the same by `interface` and `photo_interface`.

>>> PhotoFace(224, 224, 1000, mean=(127.0,), scale=(128.0,)).direct
(0.0078125, 127)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Colour = Literal["rgb", "bgr", "grey"]
Layout = Literal["nchw", "nhwc"]

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601, 2.5.1: what Pillow's "L" and OpenCV's grey are, too."""


@dataclass(frozen=True)
class PhotoFace:
    """A photo in, probabilities out.

    Attributes:
        height: Of the photo, uint8 [1, height, width, 3], RGB.
        width: Likewise, in pixels.
        classes: In the probabilities, float32 [1, classes].
        mean: Subtracted from each value, 0 … 255: one number, or one for each of the network's
            channels.
        scale: What the difference is divided by, likewise.
        colour: What the network's channels are.
        layout: Order of its input's axes; of what is in it, where it has but two.
        rank: Axes of its input: 4; 3 without one for a single channel; 2 where all are in a row.
        output: Which of its outputs has a number for each class.
        softmax: Whether those are logits.
        image: Name of the input.
        probabilities: Name of the output.
    """

    height: int
    width: int
    classes: int
    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (255.0,)
    colour: Colour = "rgb"
    layout: Layout = "nchw"
    rank: int = 4
    output: int = 0
    softmax: bool = True
    image: str = "image"
    probabilities: str = "probabilities"

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "PhotoFace":
        """What JSON says of one: its lists are tuples here."""
        made: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in said.items()}
        return cls(**made)

    @property
    def direct(self) -> tuple[float, int] | None:
        """Scale and zero point with which bytes are the network's input; None: there are none."""
        means, scales = set(self.mean), set(self.scale)
        if self.colour != "rgb" or len(means) > 1 or len(scales) > 1:
            return None
        (mean,), (scale,) = means, scales
        whole = mean == round(mean) and 0 <= mean <= 255
        return (1 / scale, round(mean)) if whole and scale > 0 else None

    def colours(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """From bytes to the network's channels: weights [channels, 3], and what is added."""
        weights = {"rgb": np.eye(3), "bgr": np.eye(3)[::-1], "grey": np.array([LUMA])}[self.colour]
        mean, scale = (np.resize(values, len(weights)) for values in (self.mean, self.scale))
        return (weights / scale[:, None]).astype(np.float32), (-mean / scale).astype(np.float32)
