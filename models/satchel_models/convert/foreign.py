"""Runs a conversion in a Python that has PyTorch or TensorFlow."""

import os
import queue
import subprocess
import threading
from pathlib import Path
from typing import IO

from satchel_models.convert import exchange
from satchel_models.convert.exchange import DOING, GRAPH, Drawn, Task
from satchel_models.convert.finishing import Draft
from satchel_models.errors import ConversionError
from satchel_models.tools import Progress

PACKAGES = Path(__file__).resolve().parents[2]
"""The folder that holds satchel_models."""

SETTINGS = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "HF_HUB_OFFLINE": "1",
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}
"""On this processor, with its ordinary roundings, quietly, without the network; what the developer
set goes first."""

TICK = 0.2
"""Seconds between two calls of the progress while the other program runs."""

SHOWN = 600
"""Characters of a program's last words."""


def draft(python: Path, module: str, task: Task, progress: Progress) -> Draft:
    """Do a task in another Python.

    Args:
        python: That Python.
        module: In this package: "from_torch", "from_keras".
        task: What to convert.
        progress: Is called several times a second; when it raises, the program is ended.

    Raises:
        ModelError: See `done`.
    """
    found = done(python, f"satchel_models.convert.{module}", task, progress)
    return Draft(task.folder / GRAPH, found.origin, found.cases, found.notes)


def done(python: Path, module: str, task: Task, progress: Progress) -> Drawn:
    """Do a task in another Python, whatever comes of it.

    Args:
        python: That Python.
        module: The program.
        task: For it.
        progress: Is called several times a second; when it raises, the program is ended.

    Raises:
        ModelError: What the other program says.
        ConversionError: It ended without a word.
    """
    (task.folder / exchange.RESULT).unlink(missing_ok=True)  # of an earlier program in there
    exchange.write_task(task)
    errors = task.folder / "errors.txt"
    with errors.open("wb") as sink:
        status = _run(_command(python, module, task), _environment(), sink, progress)
    result = exchange.read_result(task.folder)
    if result is None or status:
        said = errors.read_text("utf-8", "replace").strip()[-SHOWN:]
        raise ConversionError(
            f"{task.original.path} wasn't converted: {python} {_ended(status)}. Its last words: "
            f"{said or 'none'}"
        )
    return result


def _command(python: Path, module: str, task: Task) -> list[str]:
    # -P: what lies in the current folder must not stand in for a library.
    return [str(python), "-P", "-m", module, str(task.folder)]


def _environment() -> dict[str, str]:
    before = os.environ.get("PYTHONPATH")
    paths = os.pathsep.join([str(PACKAGES), *([before] if before else [])])
    return {**SETTINGS, **os.environ, "PYTHONPATH": paths}


def _run(
    command: list[str], environment: dict[str, str], sink: IO[bytes], progress: Progress
) -> int:
    """Run a program and pass on what it is doing; whatever ends this ends the program."""
    lines: queue.Queue[str] = queue.Queue()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=sink, text=True, errors="replace"
    ) as running:
        reader = threading.Thread(target=_read, args=(running.stdout, lines), daemon=True)
        reader.start()
        doing = "Starting the converter"
        try:
            while reader.is_alive() or not lines.empty():
                progress(doing, None)
                try:
                    line = lines.get(timeout=TICK)
                except queue.Empty:
                    continue
                if line.startswith(DOING):
                    doing = line.removeprefix(DOING).strip()
        except BaseException:
            running.kill()
            raise
        return running.wait()


def _read(source: IO[str], lines: "queue.Queue[str]") -> None:
    for line in source:
        lines.put(line)


def _ended(status: int) -> str:
    if status == -9:
        return "was ended by the system, which was probably out of memory"
    return f"ended with status {status}"
