"""GETs by fetch(), streamed (https://fetch.spec.whatwg.org/)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import js
from pyodide.ffi import JsException, to_js

from satchel.errors import NetworkError
from satchel.platform import Piece
from satchel.platform.browser.blobs import BrowserBlob

__all__ = ["BrowserFetcher"]


class JsPiece:
    """A Uint8Array that stays in JavaScript until it is looked at."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.size = int(array.byteLength)

    def view(self) -> memoryview:
        return cast(memoryview, self.array.to_py())


class BrowserFetcher:
    """Streams bodies piece by piece; joins them into a Blob without copying through Python."""

    async def stream(self, url: str) -> AsyncIterator[Piece]:
        controller = js.AbortController.new()
        try:
            # What comes is kept in the store, once it has been verified. The HTTP cache would only
            # keep it twice, and give what came spoilt again, for as long as the host allows.
            response = await js.fetch(
                url, signal=controller.signal, credentials="same-origin", cache="no-store"
            )
            if not response.ok:
                raise NetworkError(
                    f"{url} could not be fetched",
                    why=f"The server answered {response.status} {response.statusText}".rstrip(),
                    todo="Try again later, or tell whoever hosts this site",
                )
            reader = response.body.getReader()
            while not (result := await reader.read()).done:
                yield JsPiece(result.value)
        except JsException as error:
            raise NetworkError(
                f"{url} could not be fetched",
                why=str(error.message),
                todo="Check the connection and try again",
            ) from error
        finally:
            # Ends the transfer when the consumer stopped early; does nothing after the last piece.
            controller.abort()

    def join(self, pieces: Sequence[Piece]) -> BrowserBlob:
        arrays = [cast(JsPiece, piece).array for piece in pieces]
        return BrowserBlob(js.Blob.new(to_js(arrays)))
