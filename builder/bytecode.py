"""Our Python as bytecode: files that Python imports from (app/importer.py), compiling nothing.

The engine is one. What updates need is another, with the packages that verify their signatures: the
page loads it when it first looks for updates (app/later.py).

The Pyodide that will run it makes it, in Node.js. Kept in `.cache/bytecode` under the hash of the
sources and of Pyodide; a small change of ours is a small file for whoever comes again.
"""

import json
import subprocess
from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import distribution
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from builder import node, parts
from builder.errors import BuildError
from builder.files import fingerprint, tree, write_whole
from builder.paths import APP, CACHE
from builder.progress import doing

STORE = CACHE / "bytecode"
SCRIPT = Path(__file__).with_suffix(".mjs")

LONGEST_LINE = 500
"""Characters of a line in an error message."""

NOT_IN_PAGES = ("satchel/platform/native/",)
"""What only CPython uses."""


FOR_UPDATES = (
    "satchel/trust/",
    "satchel/updates.py",
    "satchel/platform/browser/signatures.py",
    "updating.py",
)
"""What of ours only updates need."""

OF_TASK = {"tensors": ("satchel/generated.py", "tensorpanel.py")}
"""What of ours only one task needs, and few pages have."""

PACKAGES = ("tuf", "securesystemslib")
"""What verifies signatures: pure Python, taken from this environment, which the lock pins."""

IMPORTED_LATE = ("tuf.api.serialization.json", "_strptime")
"""What they import while they run, by themselves or through `datetime`. Only modules that are
imported come along."""


def engine(tasks: Collection[str]) -> bytes:
    """Return the engine's bytecode for a page with these tasks, making it if it isn't kept yet.

    Raises:
        BuildError: A module can't be compiled; with Python's own words.
    """
    return _kept("the engine", _given(sources(tasks)))


def updates(known: Iterable[str] | None) -> bytes:
    """Return the bytecode of what updates need beside the engine.

    Args:
        known: The modules that the snapshot holds. What else is needed of the standard library
            comes along: its own archive is large, and would have to be compiled. None: the page
            starts without a snapshot, and has the whole library.

    Raises:
        BuildError: A module can't be compiled; with Python's own words.
    """
    ours = {name: text for name, text in _ours().items() if name.startswith(FOR_UPDATES)}
    given = _given(ours, IMPORTED_LATE, here=sources(), packages=_packages())
    return _kept("updates", given | {"known": None if known is None else sorted(known)})


def _given(
    ours: Mapping[str, str],
    more: Iterable[str] = (),
    *,
    here: Mapping[str, str] = MappingProxyType({}),
    packages: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """What the compiling program reads."""
    return {
        "here": dict(here),
        "sources": {**ours, **packages},
        "imported": [*(_module(path) for path in ours), *more],
        "known": None,
    }


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def sources(tasks: Collection[str] = tuple(OF_TASK)) -> dict[str, str]:
    """Return the engine's modules that pages with these tasks use, by their path."""
    unused = {name for task in OF_TASK.keys() - set(tasks) for name in OF_TASK[task]}
    return {
        name: text
        for name, text in _ours().items()
        if not name.startswith(FOR_UPDATES) and name not in unused
    }


def _ours() -> dict[str, str]:
    package = {f"satchel/{name}": path for name, path in tree(APP / "satchel")}
    own = {path.name: path for path in APP.glob("*.py")}
    return {
        name: path.read_text("utf-8")
        for name, path in sorted((package | own).items())
        if path.suffix == ".py" and not name.startswith(NOT_IN_PAGES)
    }


def _packages() -> dict[str, str]:
    files = [item for name in PACKAGES for item in distribution(name).files or ()]
    found = {
        item.as_posix(): Path(str(item.locate())).read_text("utf-8")
        for item in files
        if item.suffix == ".py"
    }
    # A folder may be a package without saying so; an archive has no folders.
    folders = {f"{PurePosixPath(name).parent}/__init__.py" for name in found}
    return dict.fromkeys(folders, "") | found


def _kept(what: str, given: Mapping[str, object]) -> bytes:
    pyodide = json.dumps(dict(parts.table()["pyodide"].files), sort_keys=True)
    key = fingerprint([SCRIPT], pyodide, json.dumps(given, sort_keys=True))[:16]
    place = STORE / f"{key}.bytecode"
    if not place.is_file():
        with doing(f"Compiling {what} to bytecode …"):
            write_whole(place, _compiled(what, given))
    return place.read_bytes()


def _compiled(what: str, given: Mapping[str, object]) -> bytes:
    pyodide, numpy = node.packages() / "pyodide", parts.file("numpy")
    command = [str(node.executable()), str(SCRIPT), str(pyodide), str(numpy)]
    done = subprocess.run(
        command, input=json.dumps(given).encode(), capture_output=True, check=False
    )
    if done.returncode:
        # Node.js shows the line that failed; Pyodide's has a million characters.
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        words = "\n".join(line for line in lines if len(line) < LONGEST_LINE)
        raise BuildError(f"The bytecode of {what} could not be made:\n{words}")
    return done.stdout
