"""GETs by the standard library, in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import cast
from urllib.error import HTTPError
from urllib.request import urlopen

from satchel.errors import NetworkError
from satchel.platform import Piece
from satchel.platform.native.blobs import MemoryBlob

__all__ = ["NativeFetcher"]

PIECE = 256 * 1024
"""Bytes that are read at a time."""

TIMEOUT = 30.0
"""Seconds without any byte after which a connection counts as dead."""


@dataclass(frozen=True, slots=True)
class BytesPiece:
    """Bytes as they came."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def view(self) -> bytes:
        return self.data


class NativeFetcher:
    """Streams bodies piece by piece."""

    async def stream(self, url: str) -> AsyncIterator[Piece]:
        try:
            response = await asyncio.to_thread(urlopen, url, timeout=TIMEOUT)
            try:
                while data := await asyncio.to_thread(response.read, PIECE):
                    yield BytesPiece(data)
            finally:
                response.close()
        except HTTPError as error:
            error.close()
            raise NetworkError(
                f"{url} could not be fetched",
                why=f"The server answered {error.code} {error.reason}",
                todo="Try again later, or tell whoever hosts this site",
            ) from error
        except (OSError, HTTPException) as error:
            raise NetworkError(
                f"{url} could not be fetched",
                why=str(error),
                todo="Check the connection and try again",
            ) from error

    def join(self, pieces: Sequence[Piece]) -> MemoryBlob:
        return MemoryBlob(b"".join(cast(BytesPiece, piece).data for piece in pieces))
