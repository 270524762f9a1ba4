"""Messages within one process: other processes look at the store when they need to."""

from __future__ import annotations

from collections.abc import Callable

from satchel.platform import Record

__all__ = ["Silence"]


class Silence:
    """A channel with nobody else in it."""

    def post(self, message: Record) -> None:
        """Nobody hears it."""

    def listen(self, listener: Callable[[Record], None]) -> None:
        """Nobody speaks."""
