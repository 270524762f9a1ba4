"""Images by createImageBitmap and OffscreenCanvas, which decode off the Python heap."""

from __future__ import annotations

from typing import Any

import js
import numpy as np
from numpy.typing import NDArray
from pyodide.ffi import JsException, JsProxy, to_js

from satchel.errors import ImageError
from satchel.platform.browser.blobs import blob_of
from satchel.platform.browser.host import host

__all__ = ["BrowserImages"]


class BrowserImages:
    """Decodes whatever the browser decodes: JPEG, PNG, WebP, AVIF, GIF, BMP, SVG not."""

    async def decode(
        self, source: object, *, width: int, height: int, crop: float
    ) -> NDArray[np.uint8]:
        module = await host()
        try:
            rgb = await module.decode(_drawable(source, module), width, height, crop)
        except JsException as error:
            raise ImageError(
                "This is no image that this browser can open",
                why=str(error.message),
                todo="Save it as JPEG, PNG, WebP or AVIF and try again",
            ) from error
        pixels = np.empty((height, width, 3), np.uint8)
        rgb.assign_to(pixels.reshape(-1))
        return pixels


def _drawable(source: object, module: Any) -> Any:
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] != 3 or not source.size:
            raise ImageError(
                f"An image array is uint8 [height, width, 3], not {source.dtype}"
                f" {list(source.shape)}"
            )
        rgba = np.full((*source.shape[:2], 4), 255, np.uint8)
        rgba[..., :3] = source
        return module.imageOf(to_js(rgba.reshape(-1)), source.shape[1], source.shape[0])
    if isinstance(source, JsProxy) and not (
        js.ArrayBuffer.isView(source) or hasattr(source, "byteLength")
    ):
        return source
    return blob_of(source).js
