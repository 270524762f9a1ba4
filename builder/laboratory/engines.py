"""The engines of the laboratory: the files that their workers start with, and what these weigh."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from builder import litert, parts, wire
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

LITERT_BUILD = ("litert_wasm_threaded_internal.js", "litert_wasm_threaded_internal.wasm")
"""Of LiteRT's builds, the one for browsers with relaxed SIMD and threads."""


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


def files(engine: str) -> list[Path]:
    """What a first visit downloads for an engine, in a browser that has all that it can use."""
    if engine == "onnxruntime":
        return sorted(parts.folder("onnxruntime").iterdir())
    return [litert.folder() / name for name in (litert.MODULE, *LITERT_BUILD)]


@functools.cache
def downloads() -> Mapping[str, int]:
    """Bytes that a first visit downloads for each engine, as they travel.

    Every part counts in the form in which a build carries large ones, whatever its size.
    """
    return {
        engine: sum(len(wire.packed(path.read_bytes())) for path in files(engine))
        for engine in ENGINES
    }
