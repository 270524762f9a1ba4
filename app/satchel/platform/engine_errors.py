"""What every engine's failures have in common: no memory, and an engine that broke down."""

from __future__ import annotations

import re

from satchel.errors import EngineCrashedError, OutOfMemoryError, SatchelError

__all__ = ["breakdown"]


def breakdown(kind: str, message: str, memory: str) -> SatchelError | None:
    """The error for an engine that ran out of memory or broke down; None: it did neither.

    Args:
        kind: "memory", "crash", or anything else.
        message: What the engine said.
        memory: What it says when it has no memory, whatever the kind: a regular expression.
    """
    if kind == "memory" or re.search(memory, message, re.IGNORECASE):
        return OutOfMemoryError(
            "The model needs more memory than there is",
            why=message,
            todo="Use a smaller model, a smaller batch or smaller inputs",
        )
    if kind == "crash":
        return EngineCrashedError(
            "The inference engine broke down and has been replaced",
            why=message,
            todo="Try again; if it happens again with the same input, the model is at fault",
        )
    return None
