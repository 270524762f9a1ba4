"""JavaScript Blobs as `satchel.platform.Blob`: the bytes stay outside the Python heap."""

from __future__ import annotations

from typing import Any

import js
from pyodide.ffi import JsProxy, to_js

__all__ = ["BrowserBlob", "blob_of"]


class BrowserBlob:
    """A JavaScript Blob (or File)."""

    def __init__(self, js_blob: Any) -> None:
        self.js = js_blob

    @property
    def size(self) -> int:
        return int(self.js.size)

    async def read(self, start: int = 0, stop: int | None = None) -> bytes:
        part = self.js.slice(start, self.size if stop is None else stop)
        buffer = await part.arrayBuffer()
        return bytes(buffer.to_bytes())


def blob_of(data: object) -> BrowserBlob:
    """A Blob of bytes-like data, or of an ArrayBuffer, typed array or Blob.

    Bytes are copied once, so that the caller's buffer stays usable; a Blob is immutable and kept.
    """
    if isinstance(data, BrowserBlob):
        return data
    if isinstance(data, JsProxy):
        if js.Object.prototype.toString.call(data) in ("[object Blob]", "[object File]"):
            return BrowserBlob(data)
        if js.ArrayBuffer.isView(data) or str(js.Object.prototype.toString.call(data)) in (
            "[object ArrayBuffer]",
            "[object SharedArrayBuffer]",
        ):
            return BrowserBlob(js.Blob.new([data]))
        raise TypeError(f"a model is bytes, an ArrayBuffer, a typed array or a Blob, not {data}")
    view = memoryview(data).cast("B")  # type: ignore[arg-type]  # a TypeError is the answer wanted
    return BrowserBlob(js.Blob.new(to_js([to_js(view)])))
