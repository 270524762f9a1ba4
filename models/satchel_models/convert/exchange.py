"""What this program and the one that has PyTorch or TensorFlow write to each other.

A folder with `task.json` (what to convert), `drafted.onnx`, `cases.npz` (the original's answers)
and `result.json`. The other program says on its output, line by line, what it is doing.
"""

import json
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel_models import errors
from satchel_models.convert.kinds import Kind
from satchel_models.convert.numerics import Case
from satchel_models.convert.original import Original
from satchel_models.errors import ConversionError, ModelError
from satchel_models.photo_face import PhotoFace

TASK = "task.json"
GRAPH = "drafted.onnx"
CASES = "cases.npz"
RESULT = "result.json"

DOING = "doing: "
"""Begins a line on what is being done; others are somebody's chatter."""


_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Task:
    """What is to be converted, and where everything goes.

    Attributes:
        original: What the developer gave.
        kind: What that is.
        folder: Where everything goes.
        face: What is to be put around it; None: nothing, or it is put around the graph later.
    """

    original: Original
    kind: Kind
    folder: Path
    face: PhotoFace | None = None


@dataclass(frozen=True)
class Drawn:
    """What came of it: the graph is in the folder.

    Attributes:
        origin: What the original is, in words.
        cases: The original's answers.
        notes: What the developer should know, a sentence each.
    """

    origin: str
    cases: tuple[Case, ...]
    notes: tuple[str, ...] = ()


def write_task(task: Task) -> None:
    """Put a task into its folder."""
    face = None if task.face is None else asdict(task.face)
    said = {"kind": task.kind.name, "original": asdict(task.original), "face": face}
    text = json.dumps(said, default=str)
    (task.folder / TASK).write_text(text, encoding="utf-8")


def read_task(folder: Path) -> Task:
    """The task in a folder."""
    found = json.loads((folder / TASK).read_text(encoding="utf-8"))
    said: dict[str, Any] = found["original"]
    said["path"] = Path(said["path"])
    said["places"] = tuple(map(Path, said["places"]))
    said["arguments"] = tuple(said["arguments"])
    if said["inputs"] is not None:
        said["inputs"] = {
            name: (tuple(shape), dtype) for name, (shape, dtype) in said["inputs"].items()
        }
    if said["outputs"] is not None:
        said["outputs"] = tuple(said["outputs"])
    if said["dynamic"] is not None:
        said["dynamic"] = {name: tuple(axes) for name, axes in said["dynamic"].items()}
    face = None if found["face"] is None else PhotoFace.of(found["face"])
    return Task(Original(**said), Kind[found["kind"]], folder, face)


def read_result(folder: Path) -> Drawn | None:
    """What came of a task; None: its program ended without a word.

    Raises:
        ModelError: What the other program raised.
    """
    path = folder / RESULT
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    if "error" in found:
        kind: type[ModelError] = getattr(errors, found["error"])
        raise kind(found["message"])
    return Drawn(found["origin"], _read_cases(folder), tuple(found["notes"]))


def main(work: Callable[[Task], Drawn]) -> int:
    """The other program: do the task in the folder that is its argument."""
    folder = Path(sys.argv[1])
    result: dict[str, Any]
    try:
        task = read_task(folder)
        _open_places(task.original)
        done = work(task)
    except ModelError as error:
        traceback.print_exc()
        result = {"error": type(error).__name__, "message": str(error)}
    else:
        _write_cases(folder, done.cases)
        result = {"origin": done.origin, "notes": done.notes}
    (folder / RESULT).write_text(json.dumps(result), encoding="utf-8")
    return 0


def _open_places(original: Original) -> None:
    """Let the developer's modules be imported, after everything that is installed.

    Only where they are called for: a folder that was downloaded may hold anything.
    """
    if original.factory or original.trust:
        sys.path.extend(map(str, (Path.cwd(), original.path.absolute().parent, *original.places)))


def say(text: str) -> None:
    """Tell the first program what is being done."""
    print(DOING + text, flush=True)


def last_words(error: BaseException) -> str:
    r"""What matters of a foreign error's message, for a sentence of ours.

    >>> last_words(ValueError("Bad shape.\nMore about it\n"))
    'Bad shape. More about it'
    """
    text = _COLOURS.sub("", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = lines[-1:] if "Traceback" in text else lines[:3]
    return (" ".join(lines) or type(error).__name__)[:400].rstrip(".")


def named(outputs: Sequence[str], original: Original) -> tuple[str, ...]:
    """What outputs are called: as the developer says, else as the original does.

    Raises:
        ConversionError: There are more or fewer than names.
    """
    if original.outputs is None:
        return tuple(outputs)
    if len(original.outputs) != len(outputs):
        raise ConversionError(
            f"{original.path} gives {len(outputs)} outputs ({', '.join(outputs)}), and "
            f"{len(original.outputs)} names were given ({', '.join(original.outputs)})."
        )
    return original.outputs


def _write_cases(folder: Path, cases: Sequence[Case]) -> None:
    arrays: dict[str, NDArray[np.generic]] = {}
    for number, case in enumerate(cases):
        arrays[f"{number}/batch"] = np.array(case.batch)
        arrays.update({f"{number}/in/{name}": value for name, value in case.feeds.items()})
        arrays.update({f"{number}/out/{k:03}": value for k, value in enumerate(case.answers)})
    np.savez(folder / CASES, **arrays)  # type: ignore[arg-type]


def _read_cases(folder: Path) -> tuple[Case, ...]:
    cases = []
    with np.load(folder / CASES, allow_pickle=False) as arrays:
        names = list(arrays)
        for number in range(sum(name.endswith("/batch") for name in names)):
            given, got = f"{number}/in/", f"{number}/out/"
            feeds = {n.removeprefix(given): arrays[n] for n in names if n.startswith(given)}
            answers = [arrays[n] for n in sorted(names) if n.startswith(got)]
            cases.append(Case(feeds, answers, int(arrays[f"{number}/batch"])))
    return tuple(cases)
