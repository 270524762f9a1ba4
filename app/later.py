"""What the page has, and Python only gets when it first asks for it.

Nothing of it is needed to answer, and every string of it would take its time to cross over.
"""

from __future__ import annotations

import asyncio
from typing import Any

import importer
from pyodide.ffi import JsException

import satchel

__all__ = ["Later"]


class Later:
    """The page's site data, and the modules that updates need."""

    def __init__(self, page: Any) -> None:
        """Keep what gives them.

        Args:
            page: A JavaScript object: `site`, the site data; `updates`, a function that fetches the
                bytecode of those modules.
        """
        self._page = page
        self._loading = asyncio.Lock()
        self._loaded = False

    async def load_updates(self) -> None:
        """Make `satchel.trust`, `satchel.updates` and `updating` importable.

        Raises:
            NetworkError: They are not on this device yet, and can't be fetched.
        """
        async with self._loading:
            if not self._loaded:
                try:
                    archive = await self._page.updates()
                except JsException as error:
                    raise satchel.NetworkError(
                        "What updates need could not be loaded",
                        why=str(error.message),
                        todo="Check the connection and try again",
                    ) from error
                importer.add(archive)
                self._loaded = True

    def site(self, name: str) -> Any:
        """One entry of the site data (docs/ARCHITECTURE.md), as Python's own data."""
        value = getattr(self._page.site, name)
        return value.to_py() if hasattr(value, "to_py") else value
