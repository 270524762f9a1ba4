"""NumPy for Pyodide where only PyPI is reachable: out of a wheel there that carries it.

Pyodide's builds of NumPy and micropip are neither on PyPI nor on npm as themselves, but the
`open-webui` wheel brings them along for its own page. It is big, so it is deleted once the few
files are out. What comes out is held against the same hashes as from any other source.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from builder.errors import BuildError
from builder.paths import CACHE
from builder.progress import doing

REQUIREMENT = "open-webui==0.12.4"
INSIDE = "open_webui/frontend/pyodide/"
LABEL = f"PyPI's {REQUIREMENT} (106 MB, downloaded once)"

KEPT = CACHE / "carried"
WANTED = ("numpy-", "micropip-", "packaging-")


def extract(name: str, target: Path) -> None:
    """Write the carried file of this name to `target`.

    Raises:
        BuildError: The wheel can't be downloaded, or has no such file.
    """
    if not (KEPT / name).is_file():
        _download()
    if not (KEPT / name).is_file():
        raise BuildError(f"{REQUIREMENT} carries no {name}.")
    target.write_bytes((KEPT / name).read_bytes())


def _download() -> None:
    """Take the wanted files out of the wheel, all at once, and forget the wheel."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
            "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--dest", folder, REQUIREMENT,
        ]  # fmt: skip
        with doing(f"Downloading NumPy for Pyodide, inside {REQUIREMENT} (106 MB) …"):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError(f"pip download said: {done.stderr.strip()}")
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            for member in wheel.namelist():
                name = member.removeprefix(INSIDE)
                if member.startswith(INSIDE) and name.startswith(WANTED) and "/" not in name:
                    (KEPT / name).write_bytes(wheel.read(member))
