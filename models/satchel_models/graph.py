"""Graph passes: ONNX Runtime's own fusions done ahead of time, and a canonical file.

A browser session that loads an already fused graph is up in about half the time; level
"extended" is the highest whose result every build of the engine can run ("all" writes the
memory layout of this machine's processor into the graph).
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from satchel.platform import SessionOptions
from satchel.platform.native.ort import session_options
from satchel_models.errors import NumericsError
from satchel_models.recipe import Session

PRODUCER = "satchel_models"

LoadLevel = Literal["disabled", "basic", "extended", "all"]
"""Graph optimisation at load."""


def optimised(
    model: onnx.ModelProto,
    level: Literal["basic", "extended"] = "extended",
    config: Mapping[str, str] | None = None,
) -> onnx.ModelProto:
    """`model` after ONNX Runtime's own optimisations.

    Args:
        model: The graph.
        level: "basic" keeps to ONNX's operators; "extended" fuses convolutions and so on.
        config: Of the session; without it, weights that are stored small are unpacked.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "optimised.onnx"
        options = _options(level, FOLDED if config is None else config)
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        return onnx.load(path)


def canonical(model: onnx.ModelProto, *, check: bool = True) -> onnx.ModelProto:
    """`model` with the same meaning and nothing in it that varies or only weighs.

    Drops descriptions, metadata, inferred shapes and unused operator sets; numbers nodes and
    inner values; sorts initializers by first use. So the same original gives the same bytes.

    Args:
        model: The graph.
        check: Whether ONNX's checker must know every operator of the default domain; the engine's
            fusions put some of its own there.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    result.producer_name, result.producer_version = PRODUCER, ""
    result.ClearField("doc_string")
    result.ClearField("metadata_props")
    every = list(graphs(result.graph))
    used = {node.domain for graph in every for node in graph.node} | {""}
    imports = sorted((o.domain, o.version) for o in result.opset_import if o.domain in used)
    del result.opset_import[:]
    result.opset_import.extend(onnx.helper.make_opsetid(*item) for item in imports)
    _numbered(result.graph, {"": ""}, "")
    result.graph.name = "main"
    if check:
        onnx.checker.check_model(result)
    return result


def graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """A graph, and all that its nodes hold (the branches of `If`, the body of `Loop`)."""
    yield graph
    for node in graph.node:
        for inner in _held(node):
            yield from graphs(inner)


def _held(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    found = []
    for attribute in node.attribute:
        if attribute.HasField("g"):
            found.append(attribute.g)
        found += attribute.graphs
    return found


def _numbered(graph: onnx.GraphProto, outer: dict[str, str], prefix: str) -> None:
    """Number a graph's nodes and values, in place; `outer` has the new names around it."""
    for message in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        message.ClearField("doc_string")
        message.ClearField("metadata_props")
    graph.ClearField("value_info")
    own = {value.name for value in (*graph.input, *graph.output, *graph.initializer)}
    names = {**outer, **{name: name for name in own}}
    for number, node in enumerate(graph.node):
        node.ClearField("name")
        for k, name in enumerate(node.output):
            if name and name not in own:
                new = f"{prefix}v{number}" if k == 0 else f"{prefix}v{number}.{k}"
                while new in own:  # constants may be named so, after an earlier numbering
                    new += "_"
                names[name] = new
            node.output[k] = names.get(name, name)
        for k, name in enumerate(node.input):
            node.input[k] = names.get(name, name)
        for k, inner in enumerate(_held(node)):
            _numbered(inner, names, f"{prefix}v{number}.g{k}.")
    order = {name: k for k, name in enumerate(_read(graph))}
    initializers = sorted(
        (t for t in graph.initializer if t.name in order), key=lambda t: order[t.name]
    )
    del graph.initializer[:]
    graph.initializer.extend(initializers)


def _read(graph: onnx.GraphProto) -> Iterator[str]:
    """Names that a graph's nodes read, and those in the graphs that they hold."""
    for node in graph.node:
        yield from node.input
        for inner in _held(node):
            yield from _read(inner)
            yield from (value.name for value in inner.output)
    yield from (value.name for value in graph.output)


def run(
    model: onnx.ModelProto | bytes,
    feeds: dict[str, NDArray[np.generic]],
    level: LoadLevel = "basic",
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


def session(data: bytes, level: LoadLevel = "basic") -> onnxruntime.InferenceSession:
    """A model file in ONNX Runtime's CPU provider, with the options that browsers get."""
    return loaded(data, Session(level, FOLDED))


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
    options.log_severity_level = 4  # what goes wrong is an exception
    return options
