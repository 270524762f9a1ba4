"""Graph passes: ONNX Runtime's own fusions done ahead of time, and a canonical file.

A browser session that loads an already fused graph is up in about half the time; level
"extended" is the highest whose result every build of the engine can run ("all" writes the
memory layout of this machine's processor into the graph).
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from satchel.platform import SessionOptions
from satchel.platform.native.ort import session_options
from satchel_models.errors import NumericsError
from satchel_models.recipe import Session

PRODUCER = "satchel_models"


def optimised(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model` after ONNX Runtime's extended optimisations (fused convolutions and so on)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "optimised.onnx"
        options = _options("extended")
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        return onnx.load(path)


def canonical(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model` with the same meaning and nothing in it that varies or only weighs.

    Drops descriptions, metadata, inferred shapes and unused operator sets; numbers nodes and
    inner values; sorts initializers by first use. So the same original gives the same bytes.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    for message in (result, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        message.ClearField("doc_string")
        message.ClearField("metadata_props")
    graph.ClearField("value_info")
    graph.name = "main"
    result.producer_name, result.producer_version = PRODUCER, ""
    used = {node.domain for node in graph.node} | {""}
    imports = sorted((o.domain, o.version) for o in result.opset_import if o.domain in used)
    del result.opset_import[:]
    result.opset_import.extend(onnx.helper.make_opsetid(*item) for item in imports)

    fixed = {value.name for value in (*graph.input, *graph.output, *graph.initializer)}
    names: dict[str, str] = {"": ""}
    for number, node in enumerate(graph.node):
        node.ClearField("name")
        for k, name in enumerate(node.output):
            if name and name not in fixed:
                names[name] = f"v{number}" if k == 0 else f"v{number}.{k}"
            node.output[k] = names.get(name, name)
        for k, name in enumerate(node.input):
            node.input[k] = names.get(name, name)
    order = {name: k for k, name in enumerate(n for node in graph.node for n in node.input)}
    initializers = sorted(
        (t for t in graph.initializer if t.name in order), key=lambda t: order[t.name]
    )
    del graph.initializer[:]
    graph.initializer.extend(initializers)
    onnx.checker.check_model(result)
    return result


def run(
    model: onnx.ModelProto | bytes, feeds: dict[str, NDArray[np.generic]], level: str = "basic"
) -> NDArray[np.float32]:
    """The first output of `model` for `feeds`, on ONNX Runtime's CPU provider.

    Args:
        model: A graph, or a file's bytes.
        feeds: Input name → array.
        level: Graph optimisation at load: "disabled", "basic" or "extended".
    """
    data = model if isinstance(model, bytes) else model.SerializeToString()
    output: NDArray[np.float32] = session(data, level).run(None, feeds)[0]
    return output


def session(data: bytes, level: str = "basic") -> onnxruntime.InferenceSession:
    """A model file in ONNX Runtime's CPU provider, with the options that browsers get."""
    return onnxruntime.InferenceSession(data, _options(level), providers=["CPUExecutionProvider"])


def loaded(data: bytes, settings: Session) -> onnxruntime.InferenceSession:
    """A model file in ONNX Runtime's CPU provider, loaded as a device is told to."""
    options = _options(settings.graph_optimization_level, settings.config)
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def check_same(
    name: str, before: NDArray[np.float32], after: NDArray[np.float32], tolerance: float
) -> float:
    """The largest absolute difference of two outputs, refused above `tolerance`.

    Raises:
        NumericsError: shapes differ, a value is not finite, or the difference is too large.
    """
    if before.shape != after.shape:
        raise NumericsError(f"{name}: output shape {after.shape}, before {before.shape}.")
    if not np.isfinite(after).all():
        raise NumericsError(f"{name}: outputs are not finite.")
    difference = float(np.abs(before - after).max(initial=0.0))
    if difference > tolerance:
        raise NumericsError(
            f"{name}: outputs moved by {difference:.2g}, more than {tolerance:.2g} allowed."
        )
    return difference


# As browsers must: without it the weights of MatMul and Gemm stay packed at run time.
FOLDED = {"session.disable_quant_qdq": "1"}


def _options(level: str, config: Mapping[str, str] = FOLDED) -> onnxruntime.SessionOptions:
    options: onnxruntime.SessionOptions = session_options(SessionOptions(level, config))
    options.log_severity_level = 3
    return options
