"""LiteRT.js as one folder: its module, bundled with what it imports, and its WASM builds."""

import functools
from pathlib import Path

from builder import parts, scripts
from builder.files import replacing, short
from builder.paths import CACHE, STATIC

MODULE = "litert.mjs"
"""For `satchel.configure(litert_url=…)`; the WASM builds lie beside it."""


@functools.cache
def module() -> bytes:
    """Return LiteRT.js' module with what it imports."""
    return scripts.bundle(STATIC / MODULE)


def folder() -> Path:
    """Return a folder with `MODULE` and the files of the part `litert`, its scripts minified."""
    part = parts.folder("litert")
    place = CACHE / f"litert-minified-{short(part.name.encode() + module())}"
    if not place.is_dir():
        with replacing(place) as work:
            for path in part.iterdir():
                script = path.suffix == ".js"
                (work / path.name).write_bytes(
                    scripts.minified(path) if script else path.read_bytes()
                )
            (work / MODULE).write_bytes(module())
    return place
