"""LiteRT's failures as Satchel's errors, for LiteRT.js and its Python package alike."""

from __future__ import annotations

import re

from satchel.errors import (
    EngineUnavailableError,
    InferenceError,
    ModelFormatError,
    SatchelError,
    UnsupportedModelError,
)
from satchel.platform.engine_errors import breakdown

__all__ = ["explained"]

# Compiled where they are needed: that takes milliseconds, and hardly anybody does.
_MEMORY = (
    r"bad_alloc|out of memory|\bOOM\b|allocation failed|cannot enlarge memory"
    r"|failed to allocate (?!tensors)|BytesRequired"
)
_UNSUPPORTED = (
    r"find op|unresolved custom op|custom ops|Registration failed|failed to prepare"
    r"|not supported"
)


def explained(kind: str, message: str, *, loading: bool) -> SatchelError:
    """The error for a failure.

    Args:
        kind: "unavailable" (the engine does not start), "crash" (it broke down), "memory",
            "format" (the bytes are no model), "unsupported" (it can't be compiled), "dtype" or
            "shape" (an input or output is of a type, or has a dynamic axis, that LiteRT.js doesn't
            carry), or anything else.
        message: What LiteRT said.
        loading: Whether it happened while loading a model, not while running it.
    """
    if kind == "unavailable":
        return EngineUnavailableError(
            "LiteRT could not be started",
            why=message,
            todo="Check the URLs given by satchel.configure(litert_url=…, litert_wasm_url=…), and"
            " that the page's CSP has worker-src blob:",
        )
    if (broken := breakdown(kind, message, _MEMORY)) is not None:
        return broken
    if kind == "dtype":
        return UnsupportedModelError(
            f"{message}, and LiteRT.js takes and gives float32, int32 and uint8 only",
            todo="Export the model with such inputs and outputs; inside, it may use any type",
        )
    if kind == "shape":
        return UnsupportedModelError(
            f"{message}, and LiteRT.js runs a model at the sizes that it was exported with only",
            todo="Export the model with a fixed batch and size, one file for each",
        )
    lacking = kind != "format" and re.search(_UNSUPPORTED, message, re.IGNORECASE)
    if loading and (kind == "unsupported" or lacking):
        return UnsupportedModelError(
            "The model needs something that LiteRT does not have here",
            why=message,
            todo="Convert it with other operators, or use it with another engine",
        )
    if loading:
        return ModelFormatError(
            "The bytes are no model that LiteRT can read",
            why=message,
            todo="Check that the file is complete and is a .tflite model",
        )
    return InferenceError("The model could not be run", why=message)
