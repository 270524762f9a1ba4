"""GETs by the standard library, in a thread."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from satchel.errors import NetworkError
from satchel.platform import STALL, Piece, Span
from satchel.platform.native.blobs import MemoryBlob

__all__ = ["NativeFetcher"]

PIECE = 256 * 1024
"""Bytes that are read at a time."""

_CONTENT_RANGE = re.compile(r"bytes (\d+)-")


@dataclass(frozen=True, slots=True)
class BytesPiece:
    """Bytes as they came."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def view(self) -> bytes:
        return self.data

    def cut(self, start: int, stop: int) -> MemoryBlob:
        return MemoryBlob(self.data[start:stop])


class NativeAnswer:
    """An open response of the standard library's."""

    def __init__(self, url: str, response: HTTPResponse, asked: Span | None) -> None:
        self._url, self._response = url, response
        self.whole = response.status != 206  # Partial Content
        self.start = 0
        if not self.whole:
            said = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
            self.start = int(said[1]) if said else asked.start if asked else 0

    async def __aiter__(self) -> AsyncIterator[Piece]:
        with _explained(self._url):
            # read1: what has come, not only when PIECE is full.
            while data := await asyncio.to_thread(self._response.read1, PIECE):
                yield BytesPiece(data)
            if self._response.length:  # read1 doesn't tell a cut from an end
                raise HTTPException(f"{self._response.length} bytes are missing")


class NativeFetcher:
    """Streams bodies piece by piece."""

    @asynccontextmanager
    async def get(
        self, url: str, span: Span | None = None, *, stall: float = STALL
    ) -> AsyncIterator[NativeAnswer]:
        asked = {"Range": f"bytes={span.start}-{span.stop - 1}"} if span else {}
        with _explained(url):
            request = Request(url, headers=asked)  # noqa: S310  # where a site's maker says
            response = await asyncio.to_thread(urlopen, request, timeout=stall)
        try:
            yield NativeAnswer(url, response, span)
        finally:
            response.close()


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except HTTPError as error:
        error.close()
        raise NetworkError(
            f"{url} could not be fetched",
            why=f"The server answered {error.code} {error.reason}",
            todo="Try again later, or tell whoever hosts this site",
            status=error.code,
            retry_after=_seconds(error.headers.get("Retry-After")),
        ) from error
    except (OSError, HTTPException) as error:
        raise NetworkError(
            f"{url} could not be fetched",
            why=str(error) or type(error).__name__,
            todo="Check the connection and try again",
        ) from error


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After as seconds from now: it is either a number or a date (RFC 9110, 10.2.3)."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
