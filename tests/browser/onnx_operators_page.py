"""Runs packed operator tests through EdgeRuntime, inside Pyodide.

Each case gives a small dict. `status` is "passed", "refused" (an error), "imprecise" (results near
the expected ones) or "differs" (other results). A case that did not pass is tried once more by
onnxruntime-web alone, and `same` tells whether that gives the very same error or results.
"""

from __future__ import annotations

import asyncio
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from pyodide.ffi import to_js

import satchel

SECONDS = 20
"""For each step of one case; the slowest takes a fraction of one."""

NEAR = 1e-3
"""Absolute difference up to which results count as imprecise only: float16's precision near 1."""

TYPES = {
    "f2": "float16", "f4": "float32", "f8": "float64", "i1": "int8", "i2": "int16", "i4": "int32",
    "i8": "int64", "u1": "uint8", "u2": "uint16", "u4": "uint32", "u8": "uint64", "b1": "bool",
    "O": "string",
}  # fmt: skip
"""onnxruntime's names of numpy's types; not taken from Satchel, which is what is tested here."""


class Cases:
    """All packed cases.

    Args:
        archive: As packed by onnx_operators.py.
        raw: The module onnx_operators_raw.mjs.
        ort_url: URL of onnxruntime-web, for it.
    """

    def __init__(self, archive: Path, raw: Any, ort_url: str) -> None:
        with zipfile.ZipFile(archive) as opened:
            self._cases = {case["name"]: case for case in json.loads(opened.read("cases.json"))}
            self._data = opened.read("data.bin")
        self._raw, self._ort_url = raw, ort_url

    async def run(self, names: list[str]) -> dict[str, dict[str, Any]]:
        """Run some cases."""
        return {name: await self._run(self._cases[name]) for name in names}

    async def _run(self, case: dict[str, Any]) -> dict[str, Any]:
        outputs, outcome = [], {"status": "passed"}
        for inputs, expected in case["sets"]:
            feeds = dict(zip(case["inputs"], map(self._array, inputs), strict=True))
            wanted = [self._array(value) for value in expected]
            try:
                outputs = await self._infer(case, feeds)
                outcome = _compared(case, outputs, wanted)
            except Exception as error:  # noqa: BLE001  # whatever it is, it is this case's outcome
                outcome = {
                    "status": "refused",
                    "error": type(error).__name__,
                    "message": str(error),
                    "why": getattr(error, "why", ""),
                }
            if outcome["status"] != "passed":
                return outcome | await self._second_opinion(case, feeds, outcome, outputs)
        return outcome

    async def _infer(self, case: dict[str, Any], feeds: dict[str, Any]) -> list[np.ndarray]:
        runtime = satchel.EdgeRuntime(self._bytes(case["model"]), name=case["name"])
        try:
            await asyncio.wait_for(runtime.load(), SECONDS)
            outputs = await runtime.run(feeds, timeout=SECONDS)
            return [outputs[name] for name in case["outputs"]]
        finally:
            await runtime.close()

    async def _second_opinion(
        self, case: dict[str, Any], feeds: dict[str, Any], outcome: dict[str, Any], outputs: list
    ) -> dict[str, Any]:
        """What onnxruntime-web alone makes of it; it only loads what cannot be fed."""
        packed = None
        if not any(array is None for array in feeds.values()):
            packed = to_js([_packed(name, array) for name, array in feeds.items()])
        model = to_js(self._bytes(case["model"]))
        raw = await self._raw.run(self._ort_url, model, packed)
        if hasattr(raw, "error"):
            same = outcome["status"] == "refused" and raw.error == outcome["why"]
            return {"same": same, "raw": raw.error}
        if outcome["status"] == "refused" or packed is None:
            return {"same": False, "raw": "loaded" if packed is None else "gave results"}
        results = [_unpacked(*result) for result in raw.outputs]
        same = len(results) == len(outputs) and all(map(_identical, results, outputs))
        return {"same": same, "raw": "the same results" if same else "other results"}

    def _bytes(self, place: list[int]) -> bytes:
        start, size = place
        return self._data[start : start + size]

    def _array(self, value: dict[str, Any] | None) -> np.ndarray | None:
        if value is None:
            return None
        shape = tuple(value["shape"])
        if value["dtype"] == "O":
            return np.array(value["strings"], object).reshape(shape)
        return np.frombuffer(self._bytes(value["bytes"]), value["dtype"]).reshape(shape)


def _compared(
    case: dict[str, Any], outputs: list[np.ndarray], wanted: list[np.ndarray]
) -> dict[str, Any]:
    """Compare as onnx's own runner does, and types a little more strictly."""
    try:
        assert len(outputs) == len(wanted), f"{len(outputs)} outputs, expected {len(wanted)}"
        for output, expected in zip(outputs, wanted, strict=True):
            assert output.shape == expected.shape, f"{output.shape}, expected {expected.shape}"
            assert output.dtype == expected.dtype, f"{output.dtype}, expected {expected.dtype}"
            if expected.dtype.kind == "O":
                assert output.tolist() == expected.tolist(), f"{output!r}, expected {expected!r}"
            else:
                np.testing.assert_allclose(output, expected, rtol=case["rtol"], atol=case["atol"])
    except AssertionError as error:
        near = len(outputs) == len(wanted) and all(map(_near, outputs, wanted))
        return {"status": "imprecise" if near else "differs", "message": str(error)}
    return {"status": "passed"}


def _near(output: np.ndarray, expected: np.ndarray) -> bool:
    if output.shape != expected.shape or output.dtype != expected.dtype:
        return False
    if output.dtype.kind != "f":
        return output.tolist() == expected.tolist()
    return np.allclose(output, expected, rtol=0, atol=NEAR, equal_nan=True)


def _packed(name: str, array: np.ndarray) -> list[Any]:
    data = [str(text) for text in array.flat] if array.dtype.kind == "O" else array.tobytes()
    return [name, TYPES[array.dtype.str.lstrip("<|")], list(array.shape), data]


def _unpacked(element_type: str, dims: Any, data: Any) -> np.ndarray:
    shape = tuple(int(size) for size in dims)
    if element_type == "string":
        return np.array(data.to_py(), object).reshape(shape)
    code = next(code for code, name in TYPES.items() if name == element_type)
    return np.frombuffer(data.to_bytes(), code).reshape(shape)


def _identical(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays are the same in every element; WASM leaves the bits of a NaN open."""
    if one.dtype != other.dtype:
        return False
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
