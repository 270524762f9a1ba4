"""The engines of the laboratory: what their workers start with, and what devices download."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from builder import engines, litert, parts, wire
from satchel_models.measurement import Runtime

ENGINES: Mapping[str, Mapping[str, str]] = {
    "onnxruntime": {
        "module": "engine/inference.mjs",
        "ort": "ort/ort.wasm.bundle.min.mjs",
        "ort_wasm": "ort/ort-wasm-simd-threaded.wasm",
    },
    "litert": {
        "module": "engine/litert.mjs",
        "litert": f"litert/{litert.MODULE}",
        "litert_wasm": "litert/",
    },
}
"""What each engine's worker starts with: the module that serves it, and that module's files."""


def mounts() -> Mapping[str, Path]:
    """Folders of the engines' files, by path."""
    return {"/ort": parts.folder("onnxruntime"), "/litert": litert.folder()}


def settings(runtime: Runtime, base: str) -> dict[str, Any]:
    """What a worker is started with, but for its threads.

    Args:
        runtime: The engine, and what it has to do without.
        base: The page's URL.
    """
    urls = {name: base + path for name, path in ENGINES[runtime.engine].items()}
    return {**urls, "without": sorted(runtime.without)}


@functools.cache
def downloads() -> Mapping[str, int]:
    """Bytes that a first visit downloads for each engine, as a build writes its files.

    They are those of the engine's best build: that of a device which lacks nothing.
    """
    return {name: sum(_written(engines.of(name)).values()) for name in ENGINES}


def _written(engine: engines.Engine) -> dict[str, int]:
    """Bytes of each file that a device downloads."""
    return {
        name: len(engine.files[name])
        if name in engine.files
        else len(wire.packed(engine.large[name.removesuffix(wire.SUFFIX)]))
        for name in engine.builds[0].files
    }
