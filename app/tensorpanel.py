"""What the page's tensors panel asks of the engine: any model, with its tensors as they are.

Inputs come as people give them: made up, as JSON, or as NumPy's own files. Outputs go back as
people read them, and as JSON on request. A build has this module where its site has such a model.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from satchel.errors import InputError, InputNameError, InputTypeError
from satchel.generated import generated, shape_of
from satchel.runtime import EdgeRuntime
from satchel.tasks.opening import opened
from satchel.tensors import TensorSpec, element_type_of, fit

__all__ = ["Tensors", "as_json", "read", "summary"]

FIRST = 8
"""Values of an output that are shown."""


class Tensors:
    """An installed model, its tensors as they are."""

    def __init__(self, runtime: EdgeRuntime, reason: str = "") -> None:
        self.runtime = runtime
        self.reason = reason

    @classmethod
    async def open(cls, model: str, *, variant: str | None = None) -> Self:
        """Open an installed model and load it.

        Raises:
            ModelNotFoundError: It is not installed.
        """
        async with opened(model, variant=variant) as opening:
            return cls(opening.runtime, opening.reason)

    def describe(self) -> dict[str, Any]:
        """Inputs and outputs: name, type, axes, and both as a person writes them."""
        return {
            "inputs": [_described(spec) for spec in self.runtime.inputs],
            "outputs": [_described(spec) for spec in self.runtime.outputs],
        }

    async def run(
        self, given: Sequence[Mapping[str, Any]], files: Sequence[bytes]
    ) -> dict[str, NDArray[Any]]:
        """Run the model.

        Args:
            given: For each input, see `read`.
            files: What it refers to.

        Raises:
            InputError: An input can't be read, or doesn't fit; the message names it.
        """
        by_name = {str(one["name"]): one for one in given}
        feeds = {}
        for place, spec in enumerate(self.runtime.inputs):
            if spec.name not in by_name:
                raise InputNameError(f"Input '{spec.name}' is missing")
            feeds[spec.name] = read(spec, place, by_name[spec.name], files)
        return await self.runtime.run(feeds)

    async def close(self) -> None:
        """Give the memory back."""
        await self.runtime.close()


def read(
    spec: TensorSpec, place: int, given: Mapping[str, Any], files: Sequence[bytes]
) -> NDArray[Any]:
    """An input's array.

    Args:
        spec: The input.
        place: Its place among the model's.
        given: `how`: "random" (with `seed`) or "zeros", both with `sizes` of dynamic axes; "json",
            with `text`; or "file", with its number in `file`.
        files: Bytes of `.npy`, `.npz` or JSON files.

    Raises:
        InputError: It can't be read, or doesn't fit.
    """
    how = given["how"]
    sizes = given.get("sizes") or {}
    if how == "random":
        return generated(spec, int(given.get("seed", 0)) * 97 + place, sizes)
    if how == "zeros":
        empty: object = "" if spec.dtype.kind == "O" else 0
        return np.full(shape_of(spec, sizes), empty, spec.dtype)
    if how == "json":
        return fit(_from_json(spec, str(given["text"])), spec)
    return fit(_from_file(spec, files[int(given["file"])]), spec)


def _from_json(spec: TensorSpec, text: str) -> NDArray[Any]:
    if not text.strip():
        raise InputError(
            f"Input '{spec.name}' is empty",
            todo=f"Write {spec.describe()} as JSON, lists in lists, or let it be made up",
        )
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputError(f"Input '{spec.name}' is no JSON", why=str(error)) from error
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputTypeError(
            f"Input '{spec.name}' is not an array: its lists differ in length",
            todo=f"Write {spec.describe()}",
        ) from error
    if array.dtype.kind not in ("U" if spec.dtype.kind == "O" else "fiub"):
        raise InputTypeError(
            f"Input '{spec.name}' holds something else than "
            f"{'text' if spec.dtype.kind == 'O' else 'numbers'}",
            todo=f"Write {spec.describe()}",
        )
    return array


def _from_file(spec: TensorSpec, content: bytes) -> NDArray[Any]:
    try:
        if content.startswith(b"PK"):
            return _from_archive(spec, content)
        if content.startswith(b"\x93NUMPY"):
            return _array(content)
        text = content.decode()
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"The file for input '{spec.name}' can't be read",
            why=str(error),
            todo="Save it with numpy.save or numpy.savez, or as JSON",
        ) from error
    return _from_json(spec, text)


def _from_archive(spec: TensorSpec, content: bytes) -> NDArray[Any]:
    """An array out of an `.npz`: the one with the input's name, or the only one."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = {name.removesuffix(".npy"): name for name in archive.namelist()}
        if spec.name in names:
            return _array(archive.read(names[spec.name]))
        if len(names) == 1:
            return _array(archive.read(archive.namelist()[0]))
    raise InputNameError(
        f"The file for input '{spec.name}' has no array of that name",
        why=f"It has {', '.join(sorted(names)) or 'none'}",
    )


def _array(content: bytes) -> NDArray[Any]:
    array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    return array


def summary(name: str, array: NDArray[Any]) -> dict[str, Any]:
    """An output as people read it: all figures as text."""
    flat = array.reshape(-1)
    told: dict[str, Any] = {
        "name": name,
        "type": f"{element_type_of(array.dtype)}[{', '.join(map(str, array.shape))}]",
        "count": int(flat.size),
        "first": [_shown(value) for value in flat[:FIRST]],
        "figures": [],
    }
    if flat.size and array.dtype.kind in "fiu":
        numbers = flat[np.isfinite(flat)] if array.dtype.kind == "f" else flat
        if numbers.size > 1:
            mean = numbers.mean(dtype=np.float64)
            told["figures"] = [
                ["Least", _shown(numbers.min())],
                ["Largest", _shown(numbers.max())],
                ["Mean", _shown(mean)],
            ]
        if numbers.size < flat.size:
            told["figures"].append(["Not finite", f"{flat.size - numbers.size} of {flat.size}"])
    return told


def as_json(outputs: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> str:
    """Outputs as JSON; what JSON has no number for is the text "NaN", "Infinity" or "-Infinity"."""
    whole = {
        "schema": 1,
        **about,
        "outputs": {
            name: {
                "dtype": element_type_of(array.dtype),
                "shape": list(array.shape),
                "values": _plain(array),
            }
            for name, array in outputs.items()
        },
    }
    return json.dumps(whole, ensure_ascii=False, allow_nan=False)


def _plain(array: NDArray[Any]) -> Any:
    if array.dtype.kind != "f":
        return array.tolist()
    # As short as brings the same float32 back: 0.1, not 0.10000000149.
    values: list[Any] = [_number(float(str(value))) for value in array.reshape(-1)]
    for size in reversed(array.shape[1:]):
        # An axis of no length leaves as many empty lists as the axes before it say.
        rows = len(values) // size if size else int(np.prod(array.shape[:-1]))
        values = [values[k * size : (k + 1) * size] for k in range(rows)]
    return values if array.ndim else values[0]


def _number(value: float) -> float | str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, np.bool_):
        return "true" if value else "false"
    text = f"{value + 0.0:.6g}" if isinstance(value, np.floating) else str(value)  # no −0
    return text.replace("-", "\u2212")


def _described(spec: TensorSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "type": spec.describe(),
        "shape": [str(size) for size in spec.shape],
        "axes": [size for size in spec.shape if isinstance(size, str)],
    }
