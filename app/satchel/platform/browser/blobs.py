"""JavaScript Blobs as `satchel.platform.Blob`: the bytes stay outside the Python heap."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import js
from pyodide.ffi import JsException, JsProxy, to_js

from satchel.errors import StorageError
from satchel.platform import Slice
from satchel.platform.browser.host import host

__all__ = ["BrowserBlob", "BrowserBytes", "blob_of", "composed"]

PIECE = 512 * 1024
"""Bytes that `stream` gives at a time: as much as the browser reads ahead."""


class BrowserBlob:
    """A JavaScript Blob (or File)."""

    def __init__(self, js_blob: Any) -> None:
        self.js = js_blob

    @property
    def size(self) -> int:
        return int(self.js.size)

    async def read(self, start: int = 0, stop: int | None = None) -> bytes:
        part = self.js.slice(start, self.size if stop is None else stop)
        with _explained():
            return bytes((await part.arrayBuffer()).to_bytes())

    async def stream(self) -> AsyncIterator[memoryview]:
        stream = (await host()).streamed(self.js, PIECE)
        with _explained():
            while (view := await stream.read()).byteLength:
                yield view.to_py()


class BrowserBytes(BrowserBlob):
    """A Uint8Array of JavaScript's; a Blob is made of it when one is needed."""

    def __init__(self, array: Any) -> None:
        self.array = array

    @property
    def js(self) -> Any:
        return js.Blob.new(to_js([self.array]))

    @property
    def size(self) -> int:
        return int(self.array.byteLength)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except JsException as error:
        raise StorageError(
            "A file in the browser's storage cannot be read",
            why=f"{error.name}: {error.message}",
            todo="Reload the page; if it stays so, delete the model and install it again",
        ) from error


def blob_of(data: object) -> BrowserBlob:
    """A Blob of bytes-like data, or of an ArrayBuffer, typed array or Blob.

    Bytes are copied once, so that the caller's buffer stays usable; a Blob is immutable and kept.
    """
    if isinstance(data, BrowserBlob):
        return data
    if isinstance(data, JsProxy):
        kind = _kind(data)
        if kind in ("Blob", "File"):
            return BrowserBlob(data)
        return BrowserBlob(js.Blob.new(to_js([_bytes(data, kind)])))
    view = memoryview(data).cast("B")  # type: ignore[arg-type]  # a TypeError is the answer wanted
    return BrowserBlob(js.Blob.new(to_js([to_js(view)])))


def composed(slices: Sequence[Slice]) -> BrowserBlob:
    """A Blob of others' slices; the browser reads them where they lie."""
    return BrowserBlob(js.Blob.new(to_js([_sliced(part) for part in slices])))


def _sliced(part: Slice) -> Any:
    if isinstance(part.blob, BrowserBytes):
        return part.blob.array.subarray(part.start, part.stop)
    return blob_of(part.blob).js.slice(part.start, part.stop)


def _bytes(data: Any, kind: str) -> Any:
    """A Uint8Array of an ArrayBuffer or typed array, over memory that a Blob takes."""
    if js.ArrayBuffer.isView(data):
        array = js.Uint8Array.new(data.buffer, data.byteOffset, data.byteLength)
    elif kind in ("ArrayBuffer", "SharedArrayBuffer"):
        array = js.Uint8Array.new(data)
    else:
        raise TypeError(f"{kind} is no ArrayBuffer, typed array or Blob")
    # A Blob does not take shared memory; a slice of it is not shared.
    return array.slice() if _kind(array.buffer) == "SharedArrayBuffer" else array


def _kind(data: Any) -> str:
    return str(js.Object.prototype.toString.call(data))[8:-1]
