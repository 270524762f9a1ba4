"""Packs the operator tests of the ONNX package into one archive, for a page that has no onnx.

python tests/browser/onnx_operators.py ARCHIVE

`cases.json` in it lists the cases: name, tolerances, the element types of inputs and outputs that
the model itself declares, and for each data set where its tensors lie in `data.bin`.
"""

from __future__ import annotations

import json
import sys
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.test_case import TestCase
from onnx.backend.test.loader import load_model_tests

KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")
"""All kinds that carry their data; "real" downloads or makes up networks of up to 600 MB."""

NUMBERS = frozenset({
    "float32", "float16", "float64", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64", "bool",
})  # fmt: skip
"""numpy's own types. Those of the package ml_dtypes look like them in everything but the name."""


class Archive:
    """The archive while it is filled."""

    def __init__(self) -> None:
        self.cases: list[dict[str, object]] = []
        self.data = bytearray()

    def add(self, case: TestCase) -> None:
        """Add a case with everything it needs."""
        model = case.model if case.model is not None else _read_model(Path(case.model_dir))
        graph = model.graph
        given = {item.name for item in graph.initializer}
        inputs = [item for item in graph.input if item.name not in given]
        self.cases.append(
            {
                "name": case.name,
                "rtol": case.rtol,
                "atol": case.atol,
                "model": self._bytes(model.SerializeToString()),
                "inputs": [item.name for item in inputs],
                "outputs": [item.name for item in graph.output],
                "types": sorted({_type(item.type) for item in [*inputs, *graph.output]}),
                "sets": [
                    [[self._value(value) for value in side] for side in data_set]
                    for data_set in (case.data_sets or _read_sets(Path(case.model_dir), model))
                ],
            }
        )

    def write(self, path: Path) -> None:
        """Write it."""
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("cases.json", json.dumps(self.cases))
            archive.writestr("data.bin", bytes(self.data))

    def _bytes(self, data: bytes) -> list[int]:
        start = len(self.data)
        self.data += data
        return [start, len(data)]

    def _value(self, value: object) -> dict[str, object] | None:
        """Where a tensor lies; None for what numpy cannot hold, or what is no tensor."""
        if isinstance(value, onnx.TensorProto):
            value = numpy_helper.to_array(value)
        if value is None or isinstance(value, list | dict):
            return None
        array = np.asarray(value)
        if array.dtype.kind in "OU":
            texts = [x.decode() if isinstance(x, bytes) else str(x) for x in array.flat]
            return {"dtype": "O", "shape": array.shape, "strings": texts}
        if array.dtype.name not in NUMBERS:
            return None
        return {
            "dtype": array.dtype.newbyteorder("<").str,
            "shape": array.shape,
            "bytes": self._bytes(array.astype(array.dtype.newbyteorder("<")).tobytes()),
        }


def _type(kind: onnx.TypeProto) -> str:
    """An element type by ONNX's name, or "sequence", "optional", "map"."""
    if kind.HasField("tensor_type"):
        return onnx.TensorProto.DataType.Name(kind.tensor_type.elem_type)
    return (kind.WhichOneof("value") or "nothing").removesuffix("_type")


def _read_model(folder: Path) -> onnx.ModelProto:
    return onnx.load(folder / "model.onnx")


def _read_sets(folder: Path, model: onnx.ModelProto) -> Iterator[list[list[object]]]:
    for data_set in sorted(folder.glob("test_data_set*")):
        yield [
            [
                _read_value(data_set / f"{side}_{index}.pb", item.type)
                for index, item in enumerate(items)
                if (data_set / f"{side}_{index}.pb").exists()
            ]
            for side, items in (("input", model.graph.input), ("output", model.graph.output))
        ]


def _read_value(path: Path, kind: onnx.TypeProto) -> object:
    if not kind.HasField("tensor_type"):
        return None
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return tensor


def pack(path: Path) -> None:
    """Pack all cases into an archive."""
    archive = Archive()
    for kind in KINDS:
        for case in load_model_tests(kind=kind):
            archive.add(case)
    archive.write(path)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # onnx computes its expectations with overflows on purpose
    pack(Path(sys.argv[1]))
