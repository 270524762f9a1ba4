"""Watching a new version in its first real runs, and going back when it fails too often.

A run counts against the version when its input fitted the model and the engine failed, or the
output is not finite. Time-outs and a full memory can be the device's fault, and never count.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel.errors import (
    EngineUnavailableError,
    InferenceError,
    InferenceTimeoutError,
    InputError,
    ModelError,
    OutOfMemoryError,
)

__all__ = ["Outcome", "Watch", "problem"]

Outcome = Mapping[str, NDArray[Any]] | BaseException
"""What a run gave: its outputs, or the error that it ended in."""

Watch = Callable[[Outcome], Awaitable[None]]
"""Told of each run of a model; see `satchel.runtime.EdgeRuntime`."""

NOT_TO_BLAME = (InferenceTimeoutError, OutOfMemoryError, EngineUnavailableError, InputError)


def problem(outcome: Outcome) -> str | None:
    """What a run says against the model; None: nothing.

    >>> problem({"y": np.array([1.0, np.nan])})
    "its output 'y' holds values that are not finite"
    """
    if isinstance(outcome, BaseException):
        if isinstance(outcome, NOT_TO_BLAME) or not isinstance(
            outcome, InferenceError | ModelError
        ):
            return None
        return str(outcome)
    for name, output in outcome.items():
        if output.dtype.kind == "f" and not np.isfinite(output).all():
            return f"its output '{name}' holds values that are not finite"
    return None
