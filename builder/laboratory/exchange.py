"""Bytes to and from the page, over loopback: models, inputs, outputs."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from satchel_models.data import Feeds, Outputs

PLACE = "/exchange/"

_HEADERS = {"Cache-Control": "no-store"}

Tensor = list[Any]
"""[name, dtype, dims, from, to] or, coming back, [name, dtype, dims, bytes]: JSON's types."""


class Exchange:
    """Places where one side puts what the other one fetches."""

    def __init__(self) -> None:
        self._offered: dict[str, bytes | Path] = {}
        self._received: dict[str, bytes] = {}
        self._numbers = itertools.count()

    def offer(self, content: bytes | Path) -> str:
        """Return the path under which the page can fetch something, until it is withdrawn."""
        path = self.place()
        self._offered[path] = content
        return path

    def withdraw(self, path: str) -> None:
        """Stop offering something."""
        self._offered.pop(path, None)

    def place(self) -> str:
        """Return a path that nothing lies at yet."""
        return f"{PLACE}{next(self._numbers)}"

    def take(self, path: str) -> bytes:
        """Return what the page has put at a path; it is gone then."""
        return self._received.pop(path)

    def beside(self, inner: ASGIApp) -> ASGIApp:
        """Put these places beside a site."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope.get("path", "")
            if not path.startswith(PLACE):
                await inner(scope, receive, send)
                return
            response = Response(status_code=404)
            if scope["method"] == "POST":
                self._received[path] = await Request(scope, receive).body()
                response = Response(status_code=204)
            elif isinstance(content := self._offered.get(path), Path):
                response = FileResponse(content, headers=_HEADERS)
            elif content is not None:
                response = Response(content, headers=_HEADERS)
            await response(scope, receive, send)

        return answer


def packed(samples: Sequence[Feeds]) -> tuple[bytes, list[list[Tensor]]]:
    """Return inputs as bytes one after another, and where in them each tensor is."""
    pieces: list[bytes] = []
    told: list[list[Tensor]] = []
    end = 0
    for feeds in samples:
        told.append([])
        for name, value in feeds.items():
            piece = np.ascontiguousarray(value).tobytes()
            start, end = end, end + len(piece)
            told[-1].append([name, value.dtype.name, list(value.shape), start, end])
            pieces.append(piece)
    return b"".join(pieces), told


def unpacked(content: bytes, told: Sequence[Sequence[Tensor]]) -> list[Outputs]:
    """Return the outputs whose bytes came back, one after another."""
    found: list[Outputs] = []
    place = 0
    for sample in told:
        outputs: dict[str, Any] = {}
        for name, dtype, dims, size in sample:
            flat = np.frombuffer(content[place : place + size], dtype)
            outputs[name] = flat.reshape(dims)
            place += size
        found.append(outputs)
    return found


def size(feeds: Mapping[str, Any]) -> int:
    """Return how many bytes inputs have."""
    return sum(value.nbytes for value in feeds.values())
