"""Loads `host.mjs`: given by the page that embeds Python, else out of the wheel."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

import js
from pyodide.code import run_js
from pyodide.ffi import to_js

__all__ = ["features", "host", "module_url", "options"]

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
            module = await run_js("(url) => import(url)")(module_url("host.mjs"))
        _host = module
    return _host


@cache
def features() -> frozenset[str]:
    """What this browser lends to engines; see `features.mjs`."""
    try:
        from satchel_host import features as ask
    except ImportError:
        source = _source("features.mjs").replace("export ", "")
        ask = run_js(f"(() => {{\n{source}\nreturn features;\n}})()")
    return frozenset(ask().to_py())


@cache
def module_url(name: str) -> str:
    """URL of one of this package's JavaScript modules, for pages that have none of their own.

    What it imports gets such a URL too: nothing is relative to a blob's.
    """
    source = re.sub(r'(?<=from ")\./([^"]+)', lambda found: module_url(found[1]), _source(name))
    return str(
        js.URL.createObjectURL(js.Blob.new(to_js([source]), options(type="text/javascript")))
    )


def _source(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def options(**values: Any) -> Any:
    """A JavaScript object of keyword arguments."""
    return to_js(values, dict_converter=js.Object.fromEntries)
