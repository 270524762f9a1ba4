"""The service worker's list of what to keep, and its script with that list inside.

The list is made here rather than by Workbox's own build tool: every entry carries its integrity,
which Workbox needs to notice a download that was cut without a word.
"""

import base64
import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypedDict

from builder import scripts, wire
from builder.errors import BuildError
from builder.files import sha256
from builder.headers import is_immutable, stored
from builder.paths import STATIC

PLACEHOLDER = "self.__SATCHEL"

LEFT_OUT = ("_headers", "_upload.txt", "sw.js")
FOLDERS_LEFT_OUT = ("models/", "wheels/")
"""Models live in IndexedDB, where the engine can resume and verify them. The wheel is for other
pages: this one has its bytecode."""


class Entry(TypedDict):
    """One file to keep, as Workbox wants it."""

    url: str
    revision: str | None
    integrity: str


def entries(files: Mapping[str, Path]) -> list[Entry]:
    """Return the precache list for a site's files, by relative path."""
    return [
        _entry(name, path)
        for name, path in sorted(files.items())
        if name not in LEFT_OUT and not name.startswith(FOLDERS_LEFT_OUT)
    ]


def source() -> str:
    """Return the bundled script, still without its list.

    Raises:
        BuildError: It doesn't read the list exactly once.
    """
    bundled = scripts.bundle(STATIC / "sw.js", form="iife").decode()
    if (times := bundled.count(PLACEHOLDER)) != 1:
        raise BuildError(f"sw.js must read {PLACEHOLDER} exactly once; it does {times} times.")
    return bundled


def script(
    bundled: str,
    build: str,
    files: Mapping[str, Path],
    models_origin: str | None = None,
    engines: Collection[str] = (),
) -> bytes:
    """Return sw.js for a build.

    Args:
        bundled: The script without its list.
        build: The build's name.
        files: The site's files, by relative path.
        models_origin: The one other origin that the site may take its models from.
        engines: Those files that belong to an inference engine: kept when a page uses it.
    """
    listed = entries(files)
    kept = {
        "build": build,
        "entries": [entry for entry in listed if entry["url"] not in engines],
        "engines": [entry for entry in listed if entry["url"] in engines],
        "headers": stored(models_origin),
    }
    literal = json.dumps(kept, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return bundled.replace(PLACEHOLDER, f"({literal})").encode()


def of_engines(engines: Mapping[str, Any]) -> set[str]:
    """Return the files of inference engines, by what a page's data says of its `engines`."""
    return {url for engine in engines.values() for one in engine["builds"] for url in one["files"]}


def integrity(path: Path) -> str:
    """Return what a file may hash to, for the attribute of that name.

    A host may take the name of a packed file for a Content-Encoding: the browser then expands it
    first.
    """
    forms = [path.read_bytes()]
    if path.suffix == wire.SUFFIX:
        forms.append(wire.unpacked(forms[0]))
    digests = (base64.b64encode(hashlib.sha256(form).digest()).decode() for form in forms)
    return " ".join(f"sha256-{digest}" for digest in digests)


def _entry(name: str, path: Path) -> Entry:
    revision = None if is_immutable(name) else sha256(path)[:10]
    return {"url": name, "revision": revision, "integrity": integrity(path)}
