"""What networks and hosts do to answers: each fault by its name."""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

PIECE = 64 * 1024
"""Bytes handed to the socket at a time."""


class Turns(Protocol):
    """A visitor's lane.

    Attributes:
        turn: How often it was led on: who waits on an earlier turn has waited enough.
        waiting: How many answers have stopped half-way.
    """

    turn: int
    waiting: int


@dataclass
class Reply:
    """The host's own answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def span(self) -> tuple[int, int]:
        """Where in the file the body begins, and how long the file is."""
        found = re.search(rb"bytes (\d+)-\d+/(\d+)", dict(self.headers).get(b"content-range", b""))
        return (int(found[1]), int(found[2])) if found else (0, len(self.body))

    def without(self, *names: bytes) -> list[tuple[bytes, bytes]]:
        """The headers but these."""
        return [(name, value) for name, value in self.headers if name.lower() not in names]


class Spoiler:
    """Gives one answer in its own way."""

    def __init__(self, lane: Turns, reply: Reply, receive, send, socket_send) -> None:
        self.lane, self.reply = lane, reply
        self._receive, self._send, self._socket_send = receive, send, socket_send
        self._turn = lane.turn
        self._left: asyncio.Future[None] | None = None

    def at(self, share: float) -> int:
        """How many bytes a share of the body is."""
        return min(len(self.reply.body), int(len(self.reply.body) * share))

    async def begin(self, status: int | None = None, headers=None) -> None:
        """Send status and headers."""
        await self._send(
            {
                "type": "http.response.start",
                "status": self.reply.status if status is None else status,
                "headers": self.reply.headers if headers is None else headers,
            }
        )

    async def body(self, content: bytes, *, more: bool = False) -> None:
        """Send (some of) the body."""
        for start in range(0, len(content), PIECE):
            await self._send(
                {
                    "type": "http.response.body",
                    "body": content[start : start + PIECE],
                    "more_body": True,
                }
            )
        if not more:
            await self._send({"type": "http.response.body", "body": b""})

    async def answer(self, status: int, headers=(), content: bytes = b"") -> None:
        """Send another answer."""
        await self.begin(
            status, [*headers, (b"content-length", str(len(content)).encode()), *NOT_KEPT]
        )
        await self.body(content)

    async def wait(self, seconds: float) -> None:
        """Wait, unless the visitor goes, or is done with this fault: then the connection ends."""
        if self._left is None:
            self._left = asyncio.ensure_future(self._gone())
        self.lane.waiting += 1
        try:
            end = asyncio.get_running_loop().time() + seconds
            while asyncio.get_running_loop().time() < end:
                await asyncio.sleep(min(0.02, seconds))
                if self._left.done() or self.lane.turn != self._turn:
                    raise ConnectionError("nobody waits any more")
        finally:
            self.lane.waiting -= 1

    def end(self) -> None:
        """Stop watching the visitor."""
        if self._left is not None:
            self._left.cancel()

    def reset(self) -> None:
        """End the connection with RST: what is still under way is lost."""
        transport = self._socket_send.__self__.transport
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


NOT_KEPT = [(b"cache-control", b"no-store"), (b"content-type", b"text/plain")]
Fault = Callable[..., Awaitable[None]]
FAULTS: dict[str, Fault] = {}


def fault(function: Fault) -> Fault:
    """A fault, under its function's name."""
    FAULTS[function.__name__] = function
    return function


@fault
async def cut_reset(to: Spoiler, at: float) -> None:
    """The connection breaks (RST) after a share of the body."""
    await to.begin()
    await to.body(to.reply.body[: to.at(at)], more=True)
    to.reset()


@fault
async def cut_end(to: Spoiler, at: float) -> None:
    """The connection ends (FIN) after a share; Content-Length tells that it is too early."""
    await to.begin()
    await to.body(to.reply.body[: to.at(at)], more=True)
    raise ConnectionError("cut on purpose")


@fault
async def cut_chunked(to: Spoiler, at: float) -> None:
    """It ends within chunked encoding, whose last chunk never comes."""
    await to.begin(headers=to.reply.without(b"content-length"))
    await to.body(to.reply.body[: to.at(at)], more=True)
    raise ConnectionError("cut on purpose")


@fault
async def truncated(to: Spoiler, at: float) -> None:
    """A share comes, and it looks like the normal end."""
    await to.begin(headers=to.reply.without(b"content-length"))
    await to.body(to.reply.body[: to.at(at)])


@fault
async def silent_close(to: Spoiler, at: float) -> None:
    """A share comes without any length, then FIN, as HTTP/1.0 ends every body."""
    await to.begin(
        headers=[
            *to.reply.without(b"content-length", b"transfer-encoding"),
            (b"transfer-encoding", b"identity"),
            (b"connection", b"close"),
        ]
    )
    await to.body(to.reply.body[: to.at(at)])


@fault
async def flipped(to: Spoiler, at: float = 0.5, byte: int | None = None) -> None:
    """One bit is another one: at a share of the answer, or in that byte of the file."""
    first, _ = to.reply.span
    where = min(to.at(at), len(to.reply.body) - 1) if byte is None else byte - first
    body = bytearray(to.reply.body)
    if 0 <= where < len(body):
        body[where] ^= 1
    await to.begin()
    await to.body(bytes(body))


@fault
async def replaced(to: Spoiler) -> None:
    """Every byte is another one; the length is right."""
    await to.begin()
    await to.body(bytes(byte ^ 0x55 for byte in to.reply.body))


@fault
async def appended(to: Spoiler, size: int = 1000) -> None:
    """More comes than was promised."""
    await to.begin(headers=to.reply.without(b"content-length"))
    await to.body(to.reply.body + b"!" * size)


@fault
async def endless(to: Spoiler) -> None:
    """It never ends."""
    await to.begin(headers=to.reply.without(b"content-length"))
    await to.body(to.reply.body, more=True)
    while True:
        await to.body(b" " * PIECE, more=True)
        await to.wait(0.001)


@fault
async def empty(to: Spoiler) -> None:
    """Nothing comes, and all is well."""
    await to.begin(200, headers=to.reply.without(b"content-length"))
    await to.body(b"")


@fault
async def page(to: Spoiler) -> None:
    """A web page with status 200, as some hosts and networks give for anything."""
    await to.answer(200, [(b"x-kind", b"html")], b"<!doctype html><title>Sign in</title>")


@fault
async def garbage(to: Spoiler) -> None:
    """Bytes that mean nothing, with status 200."""
    await to.answer(200, (), b"\x00\xff{]" * 50)


@fault
async def refused(to: Spoiler, status: int, retry_after: str | None = None) -> None:
    """An error status, and perhaps when to come again."""
    more = [] if retry_after is None else [(b"retry-after", retry_after.encode())]
    await to.answer(status, more, b"no")


@fault
async def whole(to: Spoiler) -> None:
    """The whole file with status 200, whatever was asked for."""
    await to.begin(headers=to.reply.without(b"accept-ranges"))
    await to.body(to.reply.body)


@fault
async def misplaced(to: Spoiler, by: int = 4096) -> None:
    """206 whose Content-Range names other bytes than were asked for, and than come."""
    headers = to.reply.without(b"content-range")
    if to.reply.status == 206:
        headers.append(_range(to.reply, by, len(to.reply.body)))
    await to.begin(headers=headers)
    await to.body(to.reply.body)


@fault
async def short_range(to: Spoiler, most: int) -> None:
    """No more than so many bytes of a range, and honest about it."""
    body = to.reply.body[:most] if to.reply.status == 206 else to.reply.body
    headers = to.reply.without(b"content-range", b"content-length")
    if to.reply.status == 206:
        headers.append(_range(to.reply, 0, len(body)))
    await to.begin(headers=[*headers, (b"content-length", str(len(body)).encode())])
    await to.body(body)


def _range(reply: Reply, by: int, size: int) -> tuple[bytes, bytes]:
    """Content-Range of so many bytes, moved."""
    first, whole = reply.span
    first += by
    return b"content-range", b"bytes %d-%d/%d" % (first, first + size - 1, whole)


@fault
async def zipped(to: Spoiler) -> None:
    """Compressed on the way, a range too."""
    body = gzip.compress(to.reply.body, 1)
    length = (b"content-length", str(len(body)).encode())
    await to.begin(
        headers=[*to.reply.without(b"content-length"), (b"content-encoding", b"gzip"), length]
    )
    await to.body(body)


@fault
async def moved(to: Spoiler, where: str) -> None:
    """A redirect to another place that has it."""
    await to.answer(302, [(b"location", where.encode())])


@fault
async def loop(to: Spoiler) -> None:
    """A redirect to itself."""
    await to.answer(302, [(b"location", b"")])


@fault
async def stall(to: Spoiler, at: float = 0.0) -> None:
    """After a share nothing comes any more, and the connection stays."""
    if at > 0:
        await to.begin()
        await to.body(to.reply.body[: to.at(at)], more=True)
    await to.wait(600)


@fault
async def drip(to: Spoiler, at: float = 0.0, every: float = 0.2) -> None:
    """After a share it comes byte by byte (slow loris)."""
    await to.begin()
    await to.body(to.reply.body[: to.at(at)], more=True)
    for number in range(to.at(at), len(to.reply.body)):
        await to.wait(every)
        await to.body(to.reply.body[number : number + 1], more=True)
    await to.body(b"")


@fault
async def prefixed(to: Spoiler, text: str) -> None:
    """A script begins with something else."""
    await to.begin(headers=to.reply.without(b"content-length"))
    await to.body(text.encode() + to.reply.body)
