"""The time of day, and time that passes."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

__all__ = ["NativeClock"]


class NativeClock:
    """The system's clock."""

    def now(self) -> str:
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
