"""A slow link between a served site and a browser: one bandwidth and one latency for everything.

DevTools' own emulation reaches neither workers' nor the service worker's requests for certain; this
stands before the server instead (`serving(…, wrap=…)`).
"""

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PIECE = 8192
"""Bytes that go out in one turn: connections share the link in such pieces."""

CATCH_UP = 0.2
"""Seconds of the link's time that aren't lost when the machine was too busy to use them."""


class SlowLink:
    """An ASGI wrapper: answers begin `latency` late, and share `bandwidth`.

    Args:
        bandwidth: Bits in a second.
        latency: Seconds from a request to its answer's first byte: the round trip.
        piece: Bytes that go out in one turn; larger ones cost a fast link less work.
    """

    def __init__(self, bandwidth: float, latency: float, piece: int = PIECE) -> None:
        self._piece = piece
        self._second = bandwidth / 8
        self._latency = latency
        self._free_at = 0.0

    def __call__(self, inner: ASGIApp) -> ASGIApp:
        """Put the link before an application."""

        async def slowed(scope: Scope, receive: Receive, send: Send) -> None:
            async def sending(message: Message) -> None:
                if message["type"] != "http.response.body":
                    await send(message)
                    return
                body = message.get("body", b"")
                for at in range(0, max(len(body), 1), self._piece):
                    piece = body[at : at + self._piece]
                    await self._turn(len(piece))
                    more = message.get("more_body", False) or at + self._piece < len(body)
                    await send({**message, "body": piece, "more_body": more})

            await asyncio.sleep(self._latency)
            await inner(scope, receive, sending)

        return slowed

    async def _turn(self, length: int) -> None:
        """Wait until the link has carried this many bytes more."""
        now = time.monotonic()
        self._free_at = max(self._free_at, now - CATCH_UP) + length / self._second
        await asyncio.sleep(max(0.0, self._free_at - now))
