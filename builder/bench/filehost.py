"""A host of a few large files in memory, with ranges; it cuts connections where it is told to."""

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from satchel.chunks import encode
from satchel_models import chunking

PIECE = 65536
"""Bytes that go out in one turn."""

PLACE = "/files/"

_RANGE = re.compile(rb"bytes=(\d+)-(\d+)$")


class FileHost:
    """Files by name.

    Attributes:
        cuts: Offsets at which the next answers end, too early and without a word; then they don't.
    """

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self.cuts: list[int] = []

    def add(self, name: str, content: bytes) -> dict[str, Any]:
        """Offer a file; return what a device knows of it beforehand, as JSON."""
        self._files[name] = content
        index = chunking.cut(content)
        return {
            "url": PLACE + name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "chunks": encode(index).hex(),
            "largest": max(chunk.size for chunk in index),
        }

    def beside(self, inner: ASGIApp, link: Callable[[ASGIApp], ASGIApp] | None) -> ASGIApp:
        """Put the files beside a site, behind a link of their own."""
        files = link(self._answer) if link else self._answer

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            ours = scope["type"] == "http" and scope["path"].startswith(PLACE)
            await (files if ours else inner)(scope, receive, send)

        return answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive  # a GET has no body
        content = self._files[scope["path"].removeprefix(PLACE)]
        asked = _RANGE.match(dict(scope["headers"]).get(b"range", b""))
        start, stop = (int(asked[1]), int(asked[2]) + 1) if asked else (0, len(content))
        end = max(start, min(stop, self.cuts.pop(0))) if self.cuts else stop
        headers = list(_headers(start, stop, len(content), ranged=bool(asked)))
        status = 206 if asked else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for at in range(start, end, PIECE):
            piece = content[at : min(at + PIECE, end)]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if end < stop:
            raise ConnectionError("cut on purpose")
        await send({"type": "http.response.body", "body": b""})


def _headers(start: int, stop: int, size: int, *, ranged: bool) -> Iterable[tuple[bytes, bytes]]:
    yield b"content-type", b"application/octet-stream"
    yield b"content-length", str(stop - start).encode()
    if ranged:
        yield b"content-range", f"bytes {start}-{stop - 1}/{size}".encode()
