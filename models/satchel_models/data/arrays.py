"""An `.npz`: arrays by input name, a sample along each one's first axis, and perhaps `labels`."""

import functools
import hashlib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel_models.data.feeds import Feeds, Sample
from satchel_models.errors import DataError
from satchel_models.steps import Spec

LABELS = "labels"


def samples(path: Path, inputs: Sequence[Spec], classes: int | None) -> tuple[list[Sample], bool]:
    """The samples of a file, and whether they are labelled.

    An array with exactly its input's shape, where that has no dynamic axis, belongs to every
    sample. Where the batch has a fixed size, that many rows are one sample.

    Args:
        path: Of the file.
        inputs: The model's.
        classes: How many the model tells apart; None: unknown.

    Raises:
        DataError: It can't be read, or its arrays don't fit the inputs.
    """
    arrays = read(path)
    missing = [spec.name for spec in inputs if spec.name not in arrays]
    if missing:
        raise DataError(
            f"{path} has no array {missing[0]!r}; the model's inputs are "
            f"{', '.join(spec.name for spec in inputs)}, and the file has {', '.join(arrays)}."
        )
    unknown = [name for name in arrays if name not in {s.name for s in inputs} | {LABELS}]
    if unknown:
        raise DataError(
            f"{path} has an array {unknown[0]!r}, which is neither an input of the model "
            f"({', '.join(spec.name for spec in inputs)}) nor {LABELS!r}. Leave it out."
        )
    fitting = {spec.name: _fitted(path, spec, arrays[spec.name]) for spec in inputs}
    rows = {spec.name: _rows(spec) for spec in inputs if not _shared(spec, fitting[spec.name])}
    counts = {name: len(fitting[name]) // size for name, size in rows.items()}
    labels = arrays.get(LABELS)
    if labels is not None:
        counts[LABELS] = len(labels) // max(rows.values(), default=1)
        _check_labels(path, labels, classes)
    if len(set(counts.values())) != 1:
        shown = ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
        raise DataError(f"{path}: every array needs as many samples as the others; it has {shown}.")
    made = []
    for number in range(next(iter(counts.values()))):
        feeds = {
            name: value[number * rows[name] : (number + 1) * rows[name]] if name in rows else value
            for name, value in fitting.items()
        }
        size = max(rows.values())
        truth = None if labels is None else labels[number * size : (number + 1) * size]
        made.append(Sample(f"row {number}", digest(feeds), functools.partial(_only, feeds), truth))
    return made, labels is not None


def read(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an `.npz`.

    Raises:
        DataError: It is none, or holds Python objects.
    """
    try:
        # Opened here: numpy forgets to close what turns out to be no archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} cannot be read as an .npz ({error}). Write it with numpy.savez, plain arrays "
            "by input name."
        ) from error


def digest(feeds: Feeds) -> str:
    """SHA-256 of inputs, hexadecimal."""
    found = hashlib.sha256()
    for name, value in sorted(feeds.items()):
        found.update(f"{name} {value.dtype} {value.shape}\0".encode())
        found.update(np.ascontiguousarray(value).tobytes())
    return found.hexdigest()


def _only(feeds: Feeds) -> tuple[Feeds, ...]:
    return (feeds,)


def _rows(spec: Spec) -> int:
    return spec.shape[0] if spec.shape and isinstance(spec.shape[0], int) else 1


def _shared(spec: Spec, value: NDArray[Any]) -> bool:
    return value.shape == spec.shape


def _fitted(path: Path, spec: Spec, value: NDArray[Any]) -> NDArray[Any]:
    """The array as the input's dtype, if its sizes and values fit."""
    fits = len(spec.shape) == value.ndim and all(
        isinstance(wanted, str) or wanted == size
        for wanted, size in zip(spec.shape[1:], value.shape[1:], strict=True)
    )
    if not fits or (value.ndim and len(value) % _rows(spec)):
        raise DataError(
            f"{path}: {spec.name} is {list(value.shape)}, and the model takes {list(spec.shape)}; "
            "the first axis counts samples."
        )
    wanted = np.dtype(spec.dtype)
    with np.errstate(all="ignore"):
        cast = value.astype(wanted, copy=False)
    if wanted.kind in "iub" and not np.array_equal(cast, value):
        raise DataError(
            f"{path}: {spec.name} is {value.dtype} with values that {spec.dtype}, which the model "
            "takes, can't hold. Convert it."
        )
    return cast


def _check_labels(path: Path, labels: NDArray[Any], classes: int | None) -> None:
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"{path}: labels must be whole numbers, one for each sample; they are {labels.dtype} "
            f"{list(labels.shape)}."
        )
    wrong = labels[(labels < 0) | (labels >= (classes or np.inf))]
    if wrong.size:
        raise DataError(
            f"{path}: there is the label {int(wrong[0])}, and the model's classes are 0 … "
            f"{(classes or 0) - 1}. Number them as the model's outputs are."
        )
