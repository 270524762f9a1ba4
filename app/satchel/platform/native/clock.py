"""The time of day."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["NativeClock"]


class NativeClock:
    """The system's clock."""

    def now(self) -> str:
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
