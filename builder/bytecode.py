"""The engine as bytecode: one file that Python imports from (app/importer.py), compiling nothing.

The Pyodide that will run it makes it, in Node.js. Kept in `.cache/bytecode` under the hash of the
sources and of Pyodide; a small change of ours is a small file for whoever comes again.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

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


def archive() -> bytes:
    """Return the engine's bytecode, making it if it isn't kept yet.

    Raises:
        BuildError: A module can't be compiled; with Python's own words.
    """
    given = sources()
    pyodide = json.dumps(dict(parts.table()["pyodide"].files), sort_keys=True)
    key = fingerprint([SCRIPT], pyodide, json.dumps(given, sort_keys=True))[:16]
    place = STORE / f"{key}.bytecode"
    if not place.is_file():
        with doing("Compiling the engine to bytecode …"):
            write_whole(place, _compiled(given))
    return place.read_bytes()


def sources() -> dict[str, str]:
    """Return the engine's modules that pages use, by their path."""
    package = {f"satchel/{name}": path for name, path in tree(APP / "satchel")}
    own = {name: APP / name for name in ("engine.py", "importer.py", "session.py")}
    return {
        name: path.read_text("utf-8")
        for name, path in sorted((package | own).items())
        if path.suffix == ".py" and not name.startswith(NOT_IN_PAGES)
    }


def _compiled(given: Mapping[str, str]) -> bytes:
    pyodide, numpy = node.packages() / "pyodide", parts.file("numpy")
    command = [str(node.executable()), str(SCRIPT), str(pyodide), str(numpy)]
    done = subprocess.run(
        command, input=json.dumps(given).encode(), capture_output=True, check=False
    )
    if done.returncode:
        # Node.js shows the line that failed; Pyodide's has a million characters.
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        words = "\n".join(line for line in lines if len(line) < LONGEST_LINE)
        raise BuildError(f"The engine could not be compiled to bytecode:\n{words}")
    return done.stdout
