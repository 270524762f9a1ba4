"""The time of day."""

from __future__ import annotations

import js

__all__ = ["BrowserClock"]


class BrowserClock:
    """JavaScript's Date."""

    def now(self) -> str:
        return str(js.Date.new().toISOString())
