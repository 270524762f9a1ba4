"""onnxruntime's failures as Satchel's errors, for its WASM build and its Python package alike.

Status codes: OrtErrorCode in onnxruntime_c_api.h.
"""

from __future__ import annotations

import re

from satchel.errors import (
    EngineUnavailableError,
    InferenceError,
    InputShapeError,
    ModelFormatError,
    SatchelError,
    UnsupportedModelError,
)
from satchel.platform.engine_errors import breakdown

__all__ = ["explained"]

# Compiled where they are needed: that takes milliseconds, and hardly anybody does.
_MEMORY = (
    r"bad_alloc|out of memory|\bOOM\b|allocation failed|failed to allocate|bad allocation"
    r"|cannot enlarge memory|shape is too large|array length|integer overflow"
    r"|Invalid (typed )?array"
)
_UNSUPPORTED = (
    r"not a registered function/op|NOT_IMPLEMENTED|Could not find an implementation"
    r"|No Op registered|Unsupported model IR version|under development|Failed to find kernel"
    r"|Unrecognized attribute|unsupported data type|are not supported"
)


def explained(kind: str, message: str, *, loading: bool) -> SatchelError:
    """The error for a failure.

    Args:
        kind: "unavailable" (the engine does not start), "crash" (it broke down), "memory",
            "argument" (onnxruntime refused the inputs), or anything else.
        message: What onnxruntime said.
        loading: Whether it happened while loading a model, not while running it.
    """
    if kind == "unavailable":
        return EngineUnavailableError(
            "onnxruntime could not be started",
            why=message,
            todo="Check the URL given by satchel.configure(ort_url=…), and that the page's CSP has"
            " worker-src blob:",
        )
    if (broken := breakdown(kind, message, _MEMORY)) is not None:
        return broken
    if loading and re.search(_UNSUPPORTED, message, re.IGNORECASE):
        return UnsupportedModelError(
            "The model needs something that onnxruntime does not have here",
            why=message,
            todo="Export it with other operators or another opset",
        )
    if loading:
        return ModelFormatError(
            "The bytes are no ONNX model that onnxruntime can read",
            why=message,
            todo="Check that the file is complete and is an ONNX model",
        )
    if kind == "argument":
        return InputShapeError("The model does not take these inputs", why=message)
    return InferenceError("The model could not be run", why=message)
