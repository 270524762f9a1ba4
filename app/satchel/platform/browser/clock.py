"""The time of day, and time that passes."""

from __future__ import annotations

import asyncio

import js

__all__ = ["BrowserClock"]


class BrowserClock:
    """JavaScript's Date and timers."""

    def now(self) -> str:
        return str(js.Date.new().toISOString())

    def monotonic(self) -> float:
        return float(js.performance.now()) / 1000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
