"""BroadcastChannel (https://html.spec.whatwg.org/multipage/web-messaging.html)."""

from __future__ import annotations

import json
from collections.abc import Callable

import js
from pyodide.ffi import create_proxy

from satchel.platform import Record

__all__ = ["Broadcast"]


class Broadcast:
    """Messages to this site's other tabs and workers, as JSON text: it crosses in one go."""

    def __init__(self, name: str) -> None:
        self._channel = js.BroadcastChannel.new(name)

    def post(self, message: Record) -> None:
        self._channel.postMessage(json.dumps(message))

    def listen(self, listener: Callable[[Record], None]) -> None:
        # The proxy lives as long as the channel does: as long as the worker.
        self._channel.onmessage = create_proxy(lambda event: listener(json.loads(event.data)))
