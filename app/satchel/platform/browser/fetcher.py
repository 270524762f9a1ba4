"""GETs by fetch(), streamed (https://fetch.spec.whatwg.org/)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

from pyodide.ffi import JsException

from satchel.errors import NetworkError
from satchel.platform import STALL, Piece, Span
from satchel.platform.browser.blobs import BrowserBytes
from satchel.platform.browser.host import host

__all__ = ["BrowserFetcher"]

PIECE = 256 * 1024
"""Bytes that Python takes at a time, where they come fast: each turn costs it half a millisecond,
and the network brings 64 KiB at most."""

GATHER = 0.1
"""Seconds after which it takes what there is: short beside the 250 ms of a batch of the store's."""


class JsPiece:
    """A Uint8Array in JavaScript, over memory that the next piece uses again."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.size = int(array.byteLength)

    def view(self) -> memoryview:
        return cast(memoryview, self.array.to_py())

    def cut(self, start: int, stop: int) -> BrowserBytes:
        return BrowserBytes(self.array.slice(start, stop))


class BrowserAnswer:
    """A body of host.mjs's."""

    def __init__(self, url: str, body: Any) -> None:
        self._url, self._body = url, body
        self.whole, self.start = bool(body.whole), int(body.start)

    async def __aiter__(self) -> AsyncIterator[Piece]:
        with _explained(self._url):
            while (array := await self._body.read(GATHER * 1000)).byteLength:
                yield JsPiece(array)


class BrowserFetcher:
    """Streams bodies piece by piece."""

    @asynccontextmanager
    async def get(
        self, url: str, span: Span | None = None, *, stall: float = STALL
    ) -> AsyncIterator[BrowserAnswer]:
        first, last = (span.start, span.stop - 1) if span else (None, None)
        body = (await host()).body(url, first, last, PIECE, stall * 1000)
        try:
            with _explained(url):
                await body.opened
            if not body.ok:
                raise NetworkError(
                    f"{url} could not be fetched",
                    why=f"The server answered {body.status} {body.reason}".rstrip(),
                    todo="Try again later, or tell whoever hosts this site",
                    status=int(body.status),
                    retry_after=None if body.retryAfter < 0 else float(body.retryAfter),
                )
            yield BrowserAnswer(url, body)
        finally:
            # Ends the transfer when the consumer stopped early; does nothing after the last piece.
            body.close()


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except JsException as error:
        raise NetworkError(
            f"{url} could not be fetched",
            why=str(error.message),
            todo="Check the connection and try again",
        ) from error
