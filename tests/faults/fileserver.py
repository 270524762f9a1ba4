"""A server of one file that misbehaves as told, request by request."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable

RANGE = re.compile(r"bytes=(\d+)-(\d+)$")
PIECE = 64 * 1024

UNREAD = 0.3
"""Seconds from the last bytes to a cut."""


class FileServer:
    """An ASGI wrapper for `serving(…, wrap=server)`: answers for `/file`, honestly or as scripted.

    Attributes:
        script: What the next requests get, each a function (server, span, send); an honest answer
            when it is empty.
        always: What every request gets that the script has nothing for.
        asked: Ranges of the requests so far as (start, stop); None: the whole file.
        at: When they came, in seconds.
        methods: Their methods.
    """

    def __init__(self, data: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        self.data = data
        self.headers = headers
        self.closing = False
        self.reset()

    def reset(self) -> None:
        """Forget what was asked, and be honest."""
        self.script: deque[Callable] = deque()
        self.always: Callable = honest
        self.asked: list[tuple[int, int] | None] = []
        self.at: list[float] = []
        self.methods: list[str] = []
        self.waiting = 0

    def __call__(self, app):
        async def wrapped(scope, receive, send):
            if scope["type"] != "http" or not scope["path"].startswith("/file"):
                await app(scope, receive, send)
                return
            headers = {name: value.decode() for name, value in scope["headers"]}
            found = RANGE.match(headers.get(b"range", ""))
            span = (int(found[1]), int(found[2]) + 1) if found else None
            self.methods.append(scope["method"])
            self.asked.append(span)
            self.at.append(time.monotonic())
            answer = self.script.popleft() if self.script else self.always
            if scope["path"] == "/file/moved":
                answer = redirect
            await answer(self, span, send)

        return wrapped

    async def begin(self, send, status, length, *extra) -> None:
        """Send the headers; a length of None leaves it out."""
        sized = () if length is None else ((b"content-length", str(length).encode()),)
        kind = (b"content-type", b"application/octet-stream")
        headers = [kind, *sized, *self.headers, *extra]
        await send({"type": "http.response.start", "status": status, "headers": headers})

    async def body(self, send, body, *, last=True) -> None:
        """Send bytes, as a network does: piece by piece."""
        for start in range(0, len(body), PIECE):
            await send(
                {"type": "http.response.body", "body": body[start : start + PIECE],
                 "more_body": True}
            )  # fmt: skip
        if last:
            await send({"type": "http.response.body", "body": b""})

    def content_range(self, start, stop):
        """The header."""
        return (b"content-range", f"bytes {start}-{stop - 1}/{len(self.data)}".encode())


async def honest(server, span, send):
    """What was asked for."""
    start, stop = span or (0, len(server.data))
    extra = [server.content_range(start, stop)] if span else []
    await server.begin(send, 206 if span else 200, stop - start, *extra)
    await server.body(send, server.data[start:stop])


async def whole(server, span, send):
    """All of it, whatever was asked for."""
    await honest(server, None, send)


async def redirect(server, span, send):
    """It lies elsewhere."""
    await server.begin(send, 302, 0, (b"location", b"/file"))
    await server.body(send, b"")


def cut_at(offset):
    """The connection ends at this offset of the file, before the promised length."""

    async def answer(server, span, send):
        start, stop = span or (0, len(server.data))
        extra = [server.content_range(start, stop)] if span else []
        await server.begin(send, 206 if span else 200, stop - start, *extra)
        await server.body(send, server.data[start : max(start, min(offset, stop))], last=False)
        # A browser that learns of a cut drops what nobody has read yet: real networks leave time.
        await asyncio.sleep(UNREAD)
        raise ConnectionError("cut on purpose")

    return answer


def ends_at(offset):
    """The body ends at this offset, and nothing says that this was not all."""

    async def answer(server, span, send):
        start, stop = span or (0, len(server.data))
        await server.begin(send, 206 if span else 200, None)
        await server.body(send, server.data[start : max(start, min(offset, stop))])

    return answer


def stalls_at(offset):
    """Nothing comes any more from this offset on; None: not even an answer."""

    async def answer(server, span, send):
        start, stop = span or (0, len(server.data))
        if offset is not None:
            await server.begin(send, 206 if span else 200, stop - start)
            await server.body(send, server.data[start : max(start, offset)], last=False)
        server.waiting += 1
        mine = server.script
        while not server.closing and server.script is mine:
            await asyncio.sleep(0.02)
        raise ConnectionError("cut on purpose")

    return answer


def refuses(status, *extra):
    """A refusal."""

    async def answer(server, span, send):
        await server.begin(send, status, 2, *extra)
        await server.body(send, b"no")

    return answer


def shifted(by, *, lying):
    """Other bytes than asked for; `lying`: under the name of those asked for."""

    async def answer(server, span, send):
        if span is None:
            await honest(server, span, send)
            return
        start, stop = span[0] + by, min(span[1] + by, len(server.data))
        said = server.content_range(*span) if lying else server.content_range(start, stop)
        await server.begin(send, 206, stop - start, said)
        await server.body(send, server.data[start:stop])

    return answer


async def compressed(server, span, send):
    """Ranges of a compressed form, as some hosts cut them out."""
    if span is None:
        await honest(server, span, send)
        return
    import gzip

    body = gzip.compress(server.data, 1)[span[0] : span[1]]
    await server.begin(send, 206, len(body), (b"content-encoding", b"gzip"))
    await server.body(send, body)


async def generous(server, span, send):
    """More than was asked for."""
    start, stop = span or (0, len(server.data))
    body = server.data[start:stop] + b"<!-- hosted by us -->" * 5000
    await server.begin(send, 206 if span else 200, None)
    await server.body(send, body)


def stingy(most):
    """Never more than so many bytes at a time."""

    async def answer(server, span, send):
        start, stop = span or (0, len(server.data))
        await honest(server, (start, min(stop, start + most)), send)

    return answer


def flipped(offset):
    """One byte of the file is another one."""

    async def answer(server, span, send):
        start, stop = span or (0, len(server.data))
        body = bytearray(server.data[start:stop])
        if start <= offset < stop:
            body[offset - start] ^= 1
        await server.begin(send, 206 if span else 200, stop - start)
        await server.body(send, bytes(body))

    return answer
