"""From a bare `python3` to the locked environment in `.venv`, with the standard library alone.

The lock (`requirements/main.txt`) carries a hash for every file and names no index, so the
machine's own pip or uv settings decide where packages come from. A stamp inside `.venv` makes a
second run free.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from builder.paths import APP, CACHE, MODELS, REQUIREMENTS, ROOT, VENV

LOCK = REQUIREMENTS / "main.txt"
STAMP = "satchel-stamp"


def main(arguments: Sequence[str]) -> NoReturn:
    """Make `.venv` if it isn't up to date, then run `builder.cli` in it with these arguments."""
    try:
        python = environment()
    except BootstrapError as error:
        sys.exit(f"build.py: {error}")
    command = [str(python), "-m", "builder.cli", *arguments]
    if os.name == "posix":
        os.execv(python, command)  # noqa: S606 - our own Python, our own arguments
    try:  # Windows has no exec: wait for the child, and let Ctrl-C reach it alone.
        sys.exit(subprocess.call(command))
    except KeyboardInterrupt:
        sys.exit(130)


class BootstrapError(Exception):
    """The environment can't be made; the message says what to do."""


def environment() -> Path:
    """Return the Python of an up-to-date `.venv`.

    Raises:
        BootstrapError: With one sentence for people.
    """
    python = python_of(VENV)
    if _up_to_date(python):
        return python
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise BootstrapError(
            "this Python has no venv or ensurepip module. On Debian or Ubuntu: "
            "apt-get install python3-venv; elsewhere use a Python that was installed whole."
        )
    with _only_one():
        if not _up_to_date(python):
            _make(python)
    return python


def python_of(environment: Path) -> Path:
    """Return where a virtual environment keeps its interpreter."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _make(python: Path) -> None:
    """Create `.venv` and bring it to exactly what the lock says."""
    (VENV / STAMP).unlink(missing_ok=True)
    if not _same_python(python):
        _say(f"Making {VENV.name} for Python {sys.version_info[0]}.{sys.version_info[1]} …")
        _run("make the virtual environment", [sys.executable, "-m", "venv", "--clear", str(VENV)])
    _say("Installing the locked packages …")
    uv_lock = _block(LOCK.read_text("utf-8"), "uv")
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "uv.txt"
        first.write_text(uv_lock, "utf-8")
        _run("install uv", [*_pip(python), "--no-deps", "-r", str(first)])
    try:
        uv = [str(python), "-m", "uv", "--quiet", "pip", "sync", "--require-hashes", str(LOCK)]
        _run("install the locked packages", [*uv, "--python", str(python)])
    except BootstrapError:
        # uv doesn't read pip's settings: behind a company's mirror only pip may get through.
        _say("uv could not do it; trying pip …")
        # The lock is whole; what it leaves out on purpose (overrides.txt) pip must not look for.
        _run("install the locked packages", [*_pip(python), "--no-deps", "-r", str(LOCK)])
    _site_packages(python).joinpath("satchel-tree.pth").write_text(
        f"{ROOT}\n{APP}\n{MODELS}\n", "utf-8"
    )
    (VENV / STAMP).write_text(_fingerprint(), "utf-8")


def _same_python(python: Path) -> bool:
    """Tell whether `.venv` works and has our version; then it is brought up to date in place."""
    question = "import pip, sys; print(sys.version.split()[0])"
    try:
        answer = subprocess.run(
            [str(python), "-c", question], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return answer.stdout.strip() == sys.version.split()[0]


def _pip(python: Path) -> list[str]:
    return [
        str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--require-hashes",
    ]  # fmt: skip


def _site_packages(python: Path) -> Path:
    question = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run(
        [str(python), "-c", question], capture_output=True, text=True, check=True
    )
    return Path(answer.stdout.strip())


def _block(lock: str, package: str) -> str:
    """Return one package's lines of a lock file: its pin and its hashes."""
    found = re.search(rf"^{re.escape(package)}==.*(?:\n +--hash=.*)*", lock, re.MULTILINE)
    if found is None:
        raise BootstrapError(f"{LOCK.name} pins no {package}; lock it again (CONTRIBUTING.md).")
    return found.group() + "\n"


def _fingerprint() -> str:
    """Name all that `.venv` depends on: the lock, the interpreter, and where the tree lies."""
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    return f"{lock} {sys.version.split()[0]} {ROOT}\n"


def _up_to_date(python: Path) -> bool:
    try:
        stamp = (VENV / STAMP).read_text("utf-8")
    except OSError:
        return False
    if sys.prefix == str(VENV):  # already inside: rebuilding it under our feet would break us
        return True
    return stamp == _fingerprint() and python.exists()


def _run(what: str, command: list[str]) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise BootstrapError(f"could not {what}; the command's own words:\n{done.stdout.strip()}")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


@contextmanager
def _only_one() -> Iterator[None]:
    """Let one process at a time make the environment."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "bootstrap.lock").open("w") as handle:
        if os.name == "posix":
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
