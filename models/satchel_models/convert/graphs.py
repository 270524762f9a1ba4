"""ONNX graphs in files: read with their weights, written whole, opened in ONNX Runtime."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import TensorProto, helper

from satchel_models.convert.numerics import Arrays
from satchel_models.errors import ConversionError, UnsupportedOperatorError
from satchel_models.steps import Spec

LARGE = 1_900_000_000
"""Bytes of weights above which they lie beside the graph: one protocol buffer holds 2 GiB."""

WEIGHTS = "{}.data"
"""Where they lie then, by the graph's file name."""

TYPES = {
    *("float", "float16", "double", "bool"),
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
}
"""Of inputs and outputs, as ONNX calls them."""

_MISSING = re.compile(r"stored in (.+?),? but|'(.+?)'")
_NO_KERNEL = re.compile(r"implementation for (\w+)\((\d+)\)|([\w.]+)\(-?\d+\) is not a registered")


def load(path: Path) -> onnx.ModelProto:
    """A graph with all of its weights in memory.

    Raises:
        ConversionError: It is damaged, or the file with its weights isn't there.
    """
    try:
        return onnx.load(path, format="protobuf")
    except DecodeError as error:
        raise ConversionError(f"{path} is a damaged ONNX file ({error}).") from error
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        found = _MISSING.search(str(error))
        where = next((group for group in found.groups() if group), "") if found else ""
        raise ConversionError(
            f"{path} keeps its weights in another file, {where or error}, which cannot be read. "
            "Put it beside the graph, under the name that the graph says."
        ) from error


def save(model: onnx.ModelProto, path: Path) -> None:
    """Write a graph; its weights go beside it where one protocol buffer can't hold them."""
    if weight_bytes(model) > LARGE:
        onnx.save(
            model,
            path,
            format="protobuf",
            save_as_external_data=True,
            all_tensors_to_one_file=True,
            location=WEIGHTS.format(path.name),
        )
        onnx.load_external_data_for_model(model, str(path.parent))  # saving took them away
    else:
        path.write_bytes(model.SerializeToString(deterministic=True))


def weight_bytes(model: onnx.ModelProto) -> int:
    """Bytes of the weights in a graph and its subgraphs."""
    return sum(len(t.raw_data) or 4 * _count(t) for t in tensors(model.graph))


def tensors(graph: onnx.GraphProto) -> Iterator[TensorProto]:
    """All constants."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            if attribute.HasField("g"):
                yield from tensors(attribute.g)


def nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """All nodes, those of subgraphs too."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from nodes(inner)


def opset(model: onnx.ModelProto) -> int:
    """Version of the standard operators; 0: the graph uses none."""
    return next((o.version for o in model.opset_import if o.domain in {"", "ai.onnx"}), 0)


def specs(values: Sequence[onnx.ValueInfoProto], path: Path) -> tuple[Spec, ...]:
    """Inputs or outputs as the other steps see them; a dynamic axis without a name has "".

    Raises:
        ConversionError: One of them is no tensor.
    """
    return tuple(_spec(value, path) for value in values)


def session(model: onnx.ModelProto, folder: Path, name: str) -> onnxruntime.InferenceSession:
    """A graph in ONNX Runtime, on the CPU.

    Args:
        model: The graph.
        folder: Where it may be written.
        name: The original's, for errors.

    Raises:
        UnsupportedOperatorError: ONNX Runtime lacks one of its operators.
        ConversionError: It refuses the graph for another reason.
    """
    path = folder / "tried.onnx"
    save(model, path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is an exception, and told by us
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common class
        text = _said(error)
        found = _NO_KERNEL.search(text)
        if found:
            kind, version, other = found.groups()
            what = f"{kind} of opset {version}" if kind else other
            raise UnsupportedOperatorError(
                f"{name} has the operator {what}, which ONNX Runtime doesn't have. Export the "
                "model with other operators, or replace that layer."
            ) from error
        raise ConversionError(f"ONNX Runtime refuses {name}: {text}") from error
    finally:
        path.unlink(missing_ok=True)
        (folder / WEIGHTS.format(path.name)).unlink(missing_ok=True)


def run(
    opened: onnxruntime.InferenceSession, feeds: Mapping[str, NDArray[np.generic]], name: str
) -> Arrays:
    """All outputs, in order.

    Raises:
        ConversionError: ONNX Runtime's words on why it doesn't run.
    """
    try:
        return [np.asarray(each) for each in opened.run(None, dict(feeds))]
    except Exception as error:  # its errors have no common class
        raise ConversionError(f"ONNX Runtime doesn't run {name}: {_said(error)}") from error


def _said(error: Exception) -> str:
    """The last part of ONNX Runtime's message: its code, places and paths say nothing to users."""
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", str(error).strip())
    text = re.sub(r"\S*/onnxruntime/\S+:\d+ ?\S*\([^)]*\) ?", "", text)
    return " ".join(text.split())[:400]


def _spec(value: onnx.ValueInfoProto, path: Path) -> Spec:
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        what = (kind or "nothing").removesuffix("_type")
        raise ConversionError(
            f"{path}: {value.name} is a {what}, no tensor. Export the model with tensors only "
            "(scikit-learn's converter: options={'zipmap': False})."
        )
    tensor = value.type.tensor_type
    kind = TensorProto.DataType.Name(tensor.elem_type).lower()
    if kind not in TYPES:
        raise ConversionError(
            f"{path}: {value.name} is of type {kind}, which doesn't cross into a browser. Export "
            "the model with numbers of 8 to 64 bits; do what handles texts in Python."
        )
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type)).name
    shape = tuple(
        dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else dim.dim_param
        for dim in tensor.shape.dim
    )
    return Spec(value.name, dtype, shape)


def _count(tensor: TensorProto) -> int:
    return int(np.prod(tensor.dims, dtype=np.int64)) if not tensor.external_data else 0
