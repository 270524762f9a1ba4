"""Images by Pillow."""

from __future__ import annotations

import asyncio
import io
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel.errors import ImageError

__all__ = ["PillowImages"]


class PillowImages:
    """Decodes what Pillow decodes: files, encoded bytes, Pillow images and arrays."""

    async def decode(
        self, source: object, *, width: int, height: int, crop: float
    ) -> NDArray[np.uint8]:
        return await asyncio.to_thread(_decode, source, width, height, crop)


def _decode(source: object, width: int, height: int, crop: float) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        image = ImageOps.exif_transpose(_opened(source))
        image.load()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise ImageError(
            "This is no image that can be opened",
            why=str(error),
            todo="Save it as JPEG, PNG, WebP or AVIF and try again",
        ) from error
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    scale = min(image.width / width, image.height / height) * crop
    w, h = width * scale, height * scale
    left, top = (image.width - w) / 2, (image.height - h) / 2
    scaled = image.convert("RGB").resize(
        (width, height), Image.Resampling.BICUBIC, box=(left, top, left + w, top + h)
    )
    return np.asarray(scaled, np.uint8)


def _opened(source: object) -> Any:
    from PIL import Image

    if isinstance(source, Image.Image):
        return source
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] != 3 or not source.size:
            raise ImageError(
                f"An image array is uint8 [height, width, 3], not {source.dtype}"
                f" {list(source.shape)}"
            )
        return Image.fromarray(source)
    if isinstance(source, str | os.PathLike):
        return Image.open(source)
    return Image.open(io.BytesIO(bytes(memoryview(source))))  # type: ignore[arg-type]
