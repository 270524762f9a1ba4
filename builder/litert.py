"""LiteRT.js as one folder: its module, bundled with what it imports, and its WASM builds."""

import functools
import shutil
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
    """Return a folder with `MODULE` and the files of the part `litert`."""
    part = parts.folder("litert")
    place = CACHE / f"litert-{short(part.name.encode() + module())}"
    if not place.is_dir():
        with replacing(place) as work:
            shutil.copytree(part, work, dirs_exist_ok=True)
            (work / MODULE).write_bytes(module())
    return place
