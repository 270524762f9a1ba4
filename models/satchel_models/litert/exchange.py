"""What the programs that make `.tflite` files and the one that asks for them write to each other.

Beside what `satchel_models.convert.exchange` says, the folder has `raw.tflite` as a converter wrote
it and `names.json`, then `wanted.json` and `samples.npz`, and in the end `made.json`, the files
that it names and `answers.npz`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel_models.photo_face import PhotoFace
from satchel_models.steps import Feeds

Answers = Sequence[Mapping[str, NDArray[Any]]]
"""Outputs by name, of each input that is tried."""

Ranges = Mapping[str, tuple[float, float]]
"""Least and largest value by tensor; 0 lies between them."""

RAW = "raw.tflite"
_NAMES = "names.json"
_WANTED = "wanted.json"
_SAMPLES = "samples.npz"
_MADE = "made.json"
_ANSWERS = "answers.npz"


@dataclass(frozen=True)
class Wanted:
    """What is to be made of a network.

    Attributes:
        methods: Names of candidates, float32 first.
        smaller: Inputs of smaller sizes that files are made for, by the images' side.
        face: What its photo goes through; None: it takes and gives what it always did.
        ranges: Of activations, by tensor, from an earlier calibration; None: samples give them.
        trials: How many of the samples each candidate answers.
    """

    methods: tuple[str, ...]
    smaller: Mapping[int, Feeds] = field(default_factory=dict)
    face: PhotoFace | None = None
    ranges: Ranges | None = None
    trials: int = 2


@dataclass(frozen=True)
class Made:
    """What came of it.

    Attributes:
        files: Names of candidates, and of their files in the folder.
        refused: Candidates that could not be made, with the reason.
        ranges: Of activations, as they were calibrated.
    """

    files: Mapping[str, str]
    refused: Mapping[str, str]
    ranges: Ranges


def write_raw(folder: Path, data: bytes, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Leave what a converter wrote, with the names that it doesn't know."""
    (folder / RAW).write_bytes(data)
    _write(folder / _NAMES, {"inputs": list(inputs), "outputs": list(outputs)})


def read_raw(folder: Path) -> tuple[bytes, tuple[str, ...], tuple[str, ...]]:
    """That file, and the names of its inputs and outputs, in order."""
    names = _read(folder / _NAMES)
    return (folder / RAW).read_bytes(), tuple(names["inputs"]), tuple(names["outputs"])


def write_wanted(folder: Path, wanted: Wanted, samples: Sequence[Feeds]) -> None:
    """Say what is to be made, and give samples for calibration and trials."""
    _write(folder / _WANTED, asdict(replace(wanted, smaller={})) | {"sides": [*wanted.smaller]})
    _write_all(folder / _SAMPLES, [*samples, *wanted.smaller.values()])


def read_wanted(folder: Path) -> tuple[Wanted, list[Feeds]]:
    """What is to be made, and samples."""
    said = _read(folder / _WANTED)
    samples = _read_all(folder / _SAMPLES)
    count = len(samples) - len(said["sides"])
    wanted = Wanted(
        methods=tuple(said["methods"]),
        smaller=dict(zip(said["sides"], samples[count:], strict=True)),
        face=None if said["face"] is None else PhotoFace.of(said["face"]),
        ranges=_ranges(said["ranges"]),
        trials=said["trials"],
    )
    return wanted, samples[:count]


def write_made(folder: Path, made: Made, answers: Mapping[str, Answers]) -> None:
    """Say what came of it, with each candidate's answers."""
    _write(folder / _MADE, asdict(made))
    for name, found in answers.items():
        _write_all(folder / f"{name}.{_ANSWERS}", found)


def read_made(folder: Path) -> tuple[Made, dict[str, Answers]]:
    """What came of it, with each candidate's answers."""
    said = _read(folder / _MADE)
    answers: dict[str, Answers] = {
        name: _read_all(folder / f"{name}.{_ANSWERS}") for name in said["files"]
    }
    return Made(said["files"], said["refused"], _ranges(said["ranges"]) or {}), answers


def _ranges(said: Any) -> Ranges | None:
    return None if said is None else {name: (low, high) for name, (low, high) in said.items()}


def _write(path: Path, said: Any) -> None:
    path.write_text(json.dumps(said), encoding="utf-8")


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _write_all(path: Path, every: Sequence[Mapping[str, NDArray[Any]]]) -> None:
    arrays = {f"{k}/{name}": value for k, one in enumerate(every) for name, value in one.items()}
    np.savez(path, **arrays)  # type: ignore[arg-type]


def _read_all(path: Path) -> list[Feeds]:
    found: dict[int, dict[str, NDArray[Any]]] = {}
    with np.load(path, allow_pickle=False) as arrays:
        for key in arrays.files:
            number, _, name = key.partition("/")
            found.setdefault(int(number), {})[name] = arrays[key]
    return [found[k] for k in sorted(found)]
