"""Golden sets: inputs with the outputs that a release must give for them, and how near.

A set is a ZIP archive. Its member `golden.json` holds `schema` (1), `tolerance` and `cases`; each
case maps the names of the model's inputs and outputs to members in NumPy's own format (`.npy`).
`tolerance.cosine` is the least cosine between an output and the expected one, row by row;
`tolerance.top` (or null) says among how many of a row's largest values the expected largest one
must be.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from satchel.errors import ManifestError
from satchel.fields import build, list_of, map_of, mapping, number, optional, size, text

__all__ = ["Case", "GoldenSet", "Tolerance", "decode", "encode"]

SCHEMA = 1

ABOUT = "golden.json"

LARGEST = 64_000_000
"""Bytes that a set may expand to. The label model's has 0.4 MB."""

_STAMP = (1980, 1, 1, 0, 0, 0)
"""A ZIP archive's earliest time: the same set gives the same bytes."""

Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far an engine's answers may be from the expected ones; see the module."""

    cosine: float
    top: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One input and the answer to it, by the model's own names."""

    inputs: Arrays
    outputs: Arrays


@dataclass(frozen=True, slots=True)
class GoldenSet:
    """What a release is validated with."""

    tolerance: Tolerance
    cases: tuple[Case, ...]

    def problem(self, number: int, outputs: Arrays) -> str | None:
        """What is wrong with a model's outputs for case `number`; None: nothing."""
        for name, expected in self.cases[number].outputs.items():
            if name not in outputs:
                return f"output '{name}' is missing"
            found = outputs[name]
            if (found.shape, found.dtype) != (expected.shape, expected.dtype):
                return (
                    f"output '{name}' is {found.dtype} {list(found.shape)}, "
                    f"not {expected.dtype} {list(expected.shape)}"
                )
            wrong = _difference(expected, found, self.tolerance)
            if wrong:
                return f"output '{name}' {wrong}"
        return None


def _difference(
    expected: NDArray[np.generic], found: NDArray[np.generic], tolerance: Tolerance
) -> str | None:
    if expected.size == 0:
        return None
    right = expected.astype(np.float64).reshape(-1, expected.shape[-1] if expected.ndim else 1)
    rows = found.astype(np.float64).reshape(right.shape)
    if not np.isfinite(rows).all():
        return "holds values that are not finite"
    # Equal rows of zeros have no direction: they agree all the same.
    lengths = np.linalg.norm(right, axis=1) * np.linalg.norm(rows, axis=1)
    products = (right * rows).sum(axis=1)
    cosines = np.where(lengths > 0, products / np.where(lengths > 0, lengths, 1), 0)
    cosines[(right == rows).all(axis=1)] = 1
    least = float(cosines.min())
    if least < tolerance.cosine:
        return f"has cosine {least:.4f} with the expected one, below {tolerance.cosine}"
    if tolerance.top is not None and tolerance.top < right.shape[1]:
        best = right.argmax(axis=1)
        # How many values of its row are larger than the one that should be the largest.
        larger = (rows > rows[np.arange(len(rows)), best][:, None]).sum(axis=1)
        if (larger >= tolerance.top).any():
            return f"has its expected maximum outside the {tolerance.top} largest values"
    return None


def decode(data: bytes) -> GoldenSet:
    """Read a set.

    Raises:
        ManifestError: It is none, has another schema, or a field is missing, unknown or wrong.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(item.file_size for item in archive.infolist()) > LARGEST:
                raise ManifestError("A golden set is too large", why=f"more than {LARGEST} bytes")
            members = {name: archive.read(name) for name in archive.namelist()}
        about = json.loads(members[ABOUT])
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise ManifestError("The file is no golden set", why=str(error)) from error
    return _golden(about, members)


def _golden(tree: object, members: Mapping[str, bytes]) -> GoldenSet:
    def array(value: object, where: str) -> NDArray[np.generic]:
        member = text(value, where)
        try:
            content: NDArray[np.generic] = np.lib.format.read_array(
                io.BytesIO(members[member]), allow_pickle=False
            )
        except (KeyError, ValueError, EOFError) as error:
            raise ManifestError(
                f"The golden set's member '{member}' cannot be read", why=str(error)
            ) from error
        return content

    def case(value: object, where: str) -> Case:
        arrays = map_of(array)
        return build(Case, mapping(value, where), where, inputs=arrays, outputs=arrays)

    def tolerance(value: object, where: str) -> Tolerance:
        return build(Tolerance, mapping(value, where), where, cosine=number, top=optional(size))

    data = mapping(tree, "golden")
    if data.pop("schema", None) != SCHEMA:
        raise ManifestError(
            f"The golden set's schema is not {SCHEMA}",
            todo="Reload the page: a newer version of it may understand this one",
        )
    return build(GoldenSet, data, "golden", tolerance=tolerance, cases=list_of(case))


def encode(golden: GoldenSet) -> bytes:
    """The archive, always the same bytes for the same set."""
    members: dict[str, bytes] = {}

    def put(number: int, kind: str, arrays: Arrays) -> dict[str, str]:
        names = {name: f"{number}/{kind}/{k}.npy" for k, name in enumerate(sorted(arrays))}
        for name, member in names.items():
            file = io.BytesIO()
            np.lib.format.write_array(file, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            members[member] = file.getvalue()
        return names

    cases = [
        {"inputs": put(k, "inputs", case.inputs), "outputs": put(k, "outputs", case.outputs)}
        for k, case in enumerate(golden.cases)
    ]
    about = {
        "schema": SCHEMA,
        "tolerance": {"cosine": golden.tolerance.cosine, "top": golden.tolerance.top},
        "cases": cases,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in [
            (ABOUT, json.dumps(about, sort_keys=True).encode()),
            *members.items(),
        ]:
            archive.writestr(zipfile.ZipInfo(name, _STAMP), content, zipfile.ZIP_DEFLATED, 9)
    return file.getvalue()
