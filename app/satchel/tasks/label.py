"""Label: which of a fixed list of things is in the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from satchel import platform as platforms
from satchel.errors import ModelFormatError
from satchel.platform import Platform
from satchel.runtime import EdgeRuntime
from satchel.tasks.opening import opened

__all__ = ["Label", "Prediction"]

DEFAULT_MODEL = "efficientnet-lite0"

CROP = 0.875
"""Part of the picture's shorter side that is looked at: 224 of 256 pixels, the usual evaluation
crop of ImageNet models (https://arxiv.org/abs/1409.4842, and the models' own code)."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer.

    Attributes:
        index: Class index in the model's output.
        label: The class's name.
        score: Probability, 0 to 1.
    """

    index: int
    label: str
    score: float


class Label:
    """Labels images with an installed classification model.

    The model takes ``image``: uint8 [batch, height, width, 3], RGB, and gives probabilities:
    float32 [batch, classes]; it scales and normalises by itself.

    Example::

        label = await satchel.tasks.Label.open()
        for prediction in await label(image, top=5):
            print(prediction.label, prediction.score)
    """

    def __init__(
        self, runtime: EdgeRuntime, labels: tuple[str, ...], platform: Platform, size: int
    ) -> None:
        self.runtime = runtime
        self.labels = labels
        self.size = size
        self._platform = platform

    @classmethod
    async def open(
        cls,
        model: str = DEFAULT_MODEL,
        *,
        threads: int | None = None,
        variant: str | None = None,
        platform: Platform | None = None,
    ) -> Self:
        """Open an installed model and load it.

        Raises:
            ModelNotFoundError: It is not installed.
        """
        platform = platform or platforms.current()
        async with opened(model, "labels", threads=threads, variant=variant, platform=platform) as (
            runtime,
            installed,
            labels,
        ):
            resolutions = installed.current.variant.resolutions
            names = tuple(labels.decode().splitlines())
            return cls(runtime, names, platform, max(resolutions, default=224))

    async def __call__(self, image: object, top: int = 5) -> tuple[Prediction, ...]:
        """Label one image.

        Args:
            image: An image file's bytes; a Blob, File, ImageBitmap or ImageData in the browser; a
                path or Pillow image on CPython; or an array, uint8 [height, width, 3], RGB.
            top: How many predictions to give.

        Returns:
            The most probable classes, best first.

        Raises:
            ImageError: It is no image that this platform can read.
        """
        return await self.classify(await self.prepare(image), top)

    async def prepare(self, image: object) -> NDArray[Any]:
        """Decode an image to what the model takes: uint8 [size, size, 3], RGB."""
        return await self._platform.images.decode(
            image, width=self.size, height=self.size, crop=CROP
        )

    async def classify(self, pixels: NDArray[Any], top: int = 5) -> tuple[Prediction, ...]:
        """Label pixels: uint8 [height, width, 3], RGB, in the size that the model is to see."""
        scores = (await self.runtime.infer(pixels[None]))[0]
        if len(scores) != len(self.labels):
            raise ModelFormatError(
                f"'{self.runtime.name}' gives {len(scores)} scores, but has {len(self.labels)}"
                " labels"
            )
        best = np.argsort(scores)[::-1][:top].tolist()
        return tuple(Prediction(i, self.labels[i], float(scores[i])) for i in best)

    async def close(self) -> None:
        """Give the memory back."""
        await self.runtime.close()
