"""Loads `host.mjs`: given by the page that embeds Python, else out of the wheel."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import js
from pyodide.code import run_js
from pyodide.ffi import to_js

__all__ = ["host", "inference_source", "options"]

_host: Any = None


async def host() -> Any:
    """The module `host.mjs`.

    A page that registers it as the JavaScript module ``satchel_host`` needs no ``unsafe-eval``;
    elsewhere it is imported from the wheel's copy.
    """
    global _host  # noqa: PLW0603  # one module for the whole interpreter
    if _host is None:
        try:
            import satchel_host as module
        except ImportError:
            source = files(__package__).joinpath("host.mjs").read_text()
            blob = js.Blob.new(to_js([source]), options(type="text/javascript"))
            url = js.URL.createObjectURL(blob)
            try:
                module = await run_js("(url) => import(url)")(url)
            finally:
                js.URL.revokeObjectURL(url)
        _host = module
    return _host


def inference_source() -> str:
    """The text of `inference.mjs`, to start a worker from in a page that has none of its own."""
    return files(__package__).joinpath("inference.mjs").read_text()


def options(**values: Any) -> Any:
    """A JavaScript object of keyword arguments."""
    return to_js(values, dict_converter=js.Object.fromEntries)
