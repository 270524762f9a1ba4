"""A page that is not ours, with Pyodide on it and our wheel beside it: what an embedder has."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import time
import zipfile
from pathlib import Path

from builder import litert, parts, wheel

HERE = Path(__file__).parent
ENGINE_TESTS = HERE.parent / "engine"

PYTEST = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")
"""Pure Python, so the copies of this environment run in Pyodide too."""

UPDATES = ("tuf", "securesystemslib", "urllib3")
"""What the wheel's extra `updates` asks for."""

SECONDS = 360
"""Several times what a whole test run takes in the browser of a machine that does nothing else."""


def make(folder: Path) -> None:
    """Put the page, Pyodide, both engines, the wheel and the tests into a folder."""
    shutil.copytree(HERE / "pyodide", folder)
    shutil.copytree(parts.folder("pyodide"), folder / "pyodide")
    for name in ("numpy", "micropip"):
        for path in parts.folder(name).iterdir():
            shutil.copy(path, folder / "pyodide")
    shutil.copytree(parts.folder("onnxruntime"), folder / "ort")
    shutil.copytree(litert.folder(), folder / "litert")
    wheel.build(folder / "wheels")
    for name in UPDATES:
        repack(name, folder / "wheels")
    with zipfile.ZipFile(folder / "tests.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in ENGINE_TESTS.glob("*.py"):
            archive.write(path, f"tests/engine/{path.name}")
        for name in PYTEST:
            for item in importlib.metadata.files(name) or ():
                if item.suffix != ".pyc" and ".." not in item.parts:
                    archive.write(item.locate(), f"site-packages/{item}")


def wheels() -> list[str]:
    """Names of the wheels that the extra `updates` asks for."""
    return [f"{name}-{importlib.metadata.version(name)}-py3-none-any.whl" for name in UPDATES]


def repack(name: str, folder: Path) -> None:
    """Make a wheel of a package of pure Python that is installed here."""
    path = folder / f"{name}-{importlib.metadata.version(name)}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for item in importlib.metadata.files(name) or ():
            if item.suffix != ".pyc" and ".." not in item.parts:
                archive.write(item.locate(), str(item))


def run(page, code: str) -> object:
    """Run Python in the page's worker and return what its last expression gave, from JSON."""
    page.evaluate("(code) => run(code)", code)
    end = time.monotonic() + SECONDS
    while (outcome := page.evaluate("() => outcome")) is None:
        assert time.monotonic() < end, "Pyodide did not answer in time"
        page.wait_for_timeout(50)
    assert "error" not in outcome, outcome["error"]
    return json.loads(outcome["value"])
