"""Which engine a model's file is for, and whether it is here."""

from __future__ import annotations

from satchel.errors import EngineUnavailableError
from satchel.platform import InferenceEngine, Platform

__all__ = ["HEAD", "engine_here", "engine_of"]

HEAD = 8
"""Bytes at a file's beginning that tell what it is."""

WAYS = {
    ("litert", "browser"): 'Add the line: satchel.configure(litert_url="https://…/litert.mjs")',
    ("litert", "native"): "Run: pip install 'satchel[litert]'",
}
"""What to do about an engine that a platform could have."""


def engine_of(head: bytes) -> str:
    """The engine that a file is for, by its first bytes.

    .tflite files are FlatBuffers with a file identifier (LiteRT's schema.fbs); ONNX has none.

    >>> engine_of(bytes(4) + b"TFL3")
    'litert'
    >>> engine_of(b"not a model")
    'onnxruntime'
    """
    return "litert" if head[4:HEAD] == b"TFL3" else "onnxruntime"


def engine_here(name: str, platform: Platform) -> InferenceEngine:
    """An engine of a platform.

    Raises:
        EngineUnavailableError: It is not there; with what to do about it.
    """
    engines = platform.engines
    if name not in engines:
        raise EngineUnavailableError(
            f"There is no engine '{name}' here",
            todo=WAYS.get((name, platform.name)) or f"Choose one of: {', '.join(engines)}",
        )
    return engines[name]
