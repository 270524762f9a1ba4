"""Getting a blob: streamed, counted and hashed on the way, never trusted before both agree."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from satchel.errors import IntegrityError
from satchel.manifest import Reference
from satchel.platform import Blob, Fetcher, Piece

__all__ = ["Progress", "fetch_blob"]

Progress = Callable[[int, int], None]
"""Called with (bytes received, bytes in all); never more than all."""


async def fetch_blob(
    fetcher: Fetcher, url: str, wanted: Reference, progress: Progress | None = None
) -> Blob:
    """Download a blob and check it.

    A connection that is cut can look like a normal end, so length and hash are always checked.
    Cancelling it ends the transfer.

    Args:
        fetcher: The platform's.
        url: Where the blob lies.
        wanted: Its size in bytes and SHA-256.
        progress: Told of each piece that comes.

    Raises:
        NetworkError: No answer, a refusal, or a cut that the network noticed.
        IntegrityError: Another length or hash than promised.
    """
    digest, received = hashlib.sha256(), 0
    pieces: list[Piece] = []
    async for piece in fetcher.stream(url):
        received += piece.size
        if received > wanted.size:
            raise _unlike(url, f"more than the promised {wanted.size} bytes came")
        digest.update(piece.view())
        pieces.append(piece)
        if progress is not None:
            progress(received, wanted.size)
    if received < wanted.size:
        raise _unlike(url, f"only {received} of {wanted.size} bytes came")
    if digest.hexdigest() != wanted.sha256:
        raise _unlike(url, "its SHA-256 is another one")
    return fetcher.join(pieces)


def _unlike(url: str, why: str) -> IntegrityError:
    return IntegrityError(
        f"What came from {url} is not what was promised",
        why=why,
        todo="Try again; if it stays so, the site was not uploaded completely",
    )
