"""Tool environments that are too big for `.venv`: made when first asked for, in `.cache/envs`."""

import os
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from builder.bootstrap import python_of
from builder.errors import BuildError
from builder.files import fingerprint, write_whole
from builder.paths import APP, CACHE, MODELS, REQUIREMENTS, ROOT
from builder.progress import doing

ENVIRONMENTS = CACHE / "envs"


def python(name: str) -> Path:
    """Return the Python of an environment that holds `requirements/<name>.txt`.

    PyTorch's builds differ per machine, so its file pins versions without hashes, and pip takes
    the build that this machine's settings offer.

    Raises:
        BuildError: With pip's own words.
    """
    lock = REQUIREMENTS / f"{name}.txt"
    if not lock.is_file():
        raise BuildError(f"There is no {lock.relative_to(ROOT)} to make that environment from.")
    folder = ENVIRONMENTS / name
    interpreter = python_of(folder)
    stamp = folder / "satchel-stamp"
    wanted = fingerprint([lock], sys.version)
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    with FileLock(ENVIRONMENTS / f"{name}.lock"):
        if stamp.is_file() and stamp.read_text("utf-8") == wanted:
            return interpreter
        with doing(f"Making the {name} environment in {folder.relative_to(ROOT)} (minutes) …"):
            if not _runs_as_we_do(interpreter):
                _run([sys.executable, "-m", "venv", "--clear", str(folder)])
            pip = [str(interpreter), "-m", "pip", "install", "--disable-pip-version-check"]
            _run([*pip, "--quiet", "-r", str(lock)])
        write_whole(stamp, wanted)
    return interpreter


def run(name: str, module: str, *arguments: str) -> int:
    """Run one of our own modules in an environment; its output goes where ours goes."""
    paths = os.pathsep.join(str(path) for path in (ROOT, APP, MODELS))
    command = [str(python(name)), "-m", module, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}, check=False
    ).returncode


def _runs_as_we_do(interpreter: Path) -> bool:
    """Whether there is an environment of our Python's version: pip brings that up to date."""
    if not interpreter.exists():
        return False
    command = [str(interpreter), "-c", "import sys; print(sys.version)"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() == sys.version.strip()


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"{' '.join(command[:4])} … failed:\n{done.stdout.strip()}")
