"""The runtime parts: Pyodide, NumPy for it, ONNX Runtime Web, MicroPython.

Each file is pinned by SHA-256 in `parts.toml` and checked every time a part is asked for, wherever
it came from. Checked parts lie in `.cache/parts`, so a second build touches no network.
"""

import functools
import json
import re
import shutil
import tomllib
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from builder import carrier, node
from builder.errors import BuildError, HashMismatchError
from builder.files import folder_hash, replacing, sha256
from builder.paths import CACHE, ROOT
from builder.progress import say

TABLE = ROOT / "builder" / "parts.toml"
STORE = CACHE / "parts"

DISTRIBUTION_SECONDS = 5
"""How long Pyodide's own distribution may take to answer before the next source is tried."""


@dataclass(frozen=True)
class Part:
    """One third-party part, as pinned."""

    name: str
    title: str
    version: str
    licence: str
    origin: str
    """An npm package, or "distribution": the wheels that Pyodide's project builds."""
    folder: str
    """Where the files lie in the npm package."""
    files: Mapping[str, str]
    """File name → SHA-256."""

    @property
    def place(self) -> Path:
        """Where the checked files are kept; a new pin gets a new place."""
        return STORE / f"{self.name}-{folder_hash(self.files)}"


@functools.cache
def table() -> Mapping[str, Part]:
    """Read `parts.toml`."""
    raw = tomllib.loads(TABLE.read_text("utf-8"))
    return {
        name: Part(
            name,
            entry["title"],
            entry["version"],
            entry["licence"],
            entry["from"],
            entry.get("folder", ""),
            entry["files"],
        )
        for name, entry in raw.items()
    }


def folder(name: str) -> Path:
    """Return the folder with exactly the pinned files of a part, fetching them if need be.

    Raises:
        HashMismatchError: A file isn't the pinned one.
        BuildError: No source has it.
    """
    if name not in table():
        raise BuildError(f"There is no part named {name!r}; parts.toml has {', '.join(table())}.")
    part = table()[name]
    CACHE.mkdir(exist_ok=True)
    with FileLock(CACHE / f"part-{name}.lock"):
        if not _intact(part):
            _fetch(part)
    return part.place


def file(name: str) -> Path:
    """Return the first pinned file of a part: for NumPy, its wheel."""
    return folder(name) / next(iter(table()[name].files))


def check(path: Path, expected: str, what: str) -> None:
    """Compare a file with its pin.

    Raises:
        HashMismatchError: Naming the file and both hashes.
    """
    if (found := sha256(path)) != expected:
        raise HashMismatchError(
            f"{path.name} ({what}) isn't the pinned file: SHA-256 {found}, expected {expected}. "
            "Delete .cache and app/static/node_modules and try again; if it stays, someone "
            "changed the package, or parts.toml is out of date."
        )


def _intact(part: Part) -> bool:
    """Tell whether the store already holds every file, byte for byte."""
    return all(
        (part.place / name).is_file() and sha256(part.place / name) == pin
        for name, pin in part.files.items()
    )


def _fetch(part: Part) -> None:
    if part.origin != "distribution":
        source = node.packages() / part.origin / part.folder
        _store(part, lambda name, to: _copy(source / name, to))
        return
    _agree_with_lock(part)
    reasons: list[str] = []
    for label, source_of in (
        ("Pyodide's distribution", _from_distribution),
        (carrier.LABEL, carrier.extract),
    ):
        try:
            _store(part, source_of)
        except (OSError, BuildError) as error:
            if isinstance(error, HashMismatchError):
                raise
            reasons.append(f"{label}: {error}")
        else:
            say(f"{part.title} {part.version} for Pyodide: from {label}, SHA-256 verified.")
            return
    raise BuildError(
        f"No source has {part.title} {part.version} for Pyodide. Tried:\n  " + "\n  ".join(reasons)
    )


def _store(part: Part, get: Callable[[str, Path], object]) -> None:
    with replacing(part.place) as work:
        for name, pin in part.files.items():
            get(name, work / name)
            check(work / name, pin, f"{part.title} {part.version}")


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise BuildError(f"The npm package has no {source.name} any more; look at {source.parent}.")
    shutil.copyfile(source, target)


def _from_distribution(name: str, target: Path) -> None:
    """Download one wheel from the place that Pyodide's own loader names."""
    loader = (folder("pyodide") / "pyodide.mjs").read_text("utf-8")
    named = re.search(r"`(https://[^`]*\$\{\w+\}[^`]*)`", loader)
    if named is None:
        raise BuildError("pyodide.mjs names no distribution any more.")
    url = re.sub(r"\$\{\w+\}", table()["pyodide"].version, named.group(1)) + name
    with urllib.request.urlopen(url, timeout=DISTRIBUTION_SECONDS) as answer:  # noqa: S310
        target.write_bytes(answer.read())


def _agree_with_lock(part: Part) -> None:
    """Hold our pins against the lock file that came with Pyodide itself."""
    lock = json.loads((folder("pyodide") / "pyodide-lock.json").read_text("utf-8"))
    named = {entry["file_name"]: entry["sha256"] for entry in lock["packages"].values()}
    for name, pin in part.files.items():
        if named.get(name) != pin:
            raise HashMismatchError(
                f"parts.toml pins {name} otherwise than pyodide-lock.json does."
            )
