"""Which site this is, so that two sites on one origin never share anything stored."""

from __future__ import annotations

import js

from satchel.settings import settings

__all__ = ["scope"]


def scope() -> str:
    """The configured scope, else the path of the folder that this page or worker came from."""
    configured = settings().scope
    if configured is not None:
        return configured
    if js.location.protocol == "blob:":
        return "/"
    return str(js.URL.new(".", js.location.href).pathname)
