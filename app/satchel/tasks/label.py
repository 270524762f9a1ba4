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

RESOLUTION = 224
"""Height and width in pixels where neither a model nor its variant says them: ImageNet's usual."""


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

    The model takes one input, uint8 [batch, height, width, 3], RGB, and gives probabilities:
    float32 [batch, classes]; it scales and normalises by itself. Where it leaves height and width
    open, its variant's resolution says them.

    Attributes:
        runtime: The model.
        labels: The classes' names.
        height: Of the photos that the model sees, in pixels.
        width: Likewise.
        reason: Why no better variant of the model is used on this device: a sentence for people;
            empty: there is none.

    Example::

        label = await satchel.tasks.Label.open()
        for prediction in await label(image, top=5):
            print(prediction.label, prediction.score)
    """

    unit = "photo"
    """What one answer is about."""

    def __init__(
        self,
        runtime: EdgeRuntime,
        labels: tuple[str, ...],
        platform: Platform,
        size: tuple[int, int],
        crop: float = CROP,
        reason: str = "",
    ) -> None:
        self.runtime = runtime
        self.labels = labels
        self.height, self.width = size
        self.reason = reason
        self._crop = crop
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

        Args:
            model: Its id.
            threads: As `EdgeRuntime` takes it.
            variant: This one of the variants that are here; default: the device's.
            platform: Where to run; default: here.

        Raises:
            ModelNotFoundError: It is not installed, or not in that variant.
            VariantMissingError: This device can only use a variant that is not here.
        """
        platform = platform or platforms.current()
        async with opened(
            model, "labels", threads=threads, variant=variant, platform=platform
        ) as opening:
            chosen = opening.variant
            size = _size(opening.runtime, max(chosen.resolutions, default=RESOLUTION))
            names = tuple(opening.content.decode().splitlines())
            crop = chosen.crop or CROP
            return cls(opening.runtime, names, platform, size, crop, opening.reason)

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
        """Decode an image to what the model takes: uint8 [height, width, 3], RGB."""
        return await self._platform.images.decode(
            image, width=self.width, height=self.height, crop=self._crop
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

    @property
    def model(self) -> str:
        """Its model's id."""
        return self.runtime.name.rpartition(" ")[0]

    async def sibling(self, variant: str | None, threads: int) -> Self:
        """The same task in another variant that is here, on so many threads; opened and loaded.

        Raises:
            ModelNotFoundError: Its model is not here in that variant.
        """
        return await self.open(
            self.model, threads=threads, variant=variant, platform=self._platform
        )

    def sample(self) -> dict[str, NDArray[Any]]:
        """What the model takes, with nothing in it: to find out how long it runs."""
        shape = (1, self.height, self.width, 3)
        return {self.runtime.inputs[0].name: np.zeros(shape, np.uint8)}

    async def close(self) -> None:
        """Give the memory back."""
        await self.runtime.close()


def _size(runtime: EdgeRuntime, resolution: int) -> tuple[int, int]:
    """Height and width of the model's photos; `resolution` for what it leaves open."""
    (spec, *more) = runtime.inputs
    if more or len(spec.shape) != 4 or spec.dtype != np.uint8:
        takes = ", ".join(one.describe() for one in runtime.inputs)
        raise ModelFormatError(
            f"'{runtime.name}' is no model for photos: it takes {takes}",
            todo="It must take one uint8 [batch, height, width, 3]",
        )
    height, width = (side if isinstance(side, int) else resolution for side in spec.shape[1:3])
    return height, width
