"""Converts Keras and TensorFlow originals: `python -m satchel_models.convert.from_keras DIR`.

DIR is described in `satchel_models.convert.exchange`. Runs where TensorFlow, Keras and tf2onnx
(https://github.com/onnx/tensorflow-onnx) are installed.
"""

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # answers without other roundings
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray

from satchel_models.convert import exchange, samples
from satchel_models.convert.exchange import GRAPH, Drawn, Task, last_words, say
from satchel_models.convert.kinds import Kind
from satchel_models.convert.numerics import Case
from satchel_models.convert.original import Original
from satchel_models.convert.samples import BATCH, Input
from satchel_models.errors import ConversionError, UnsupportedOperatorError, UntrustedError

SEEDS = (0, 1)
"""Of the samples that the original answers."""

OPSET = 17
"""What tf2onnx 1.17 writes best; its newest is 18."""

SIGNATURE = "serving_default"

GUESS = 224
"""Sizes of images that a model leaves open, in pixels."""

SEQUENCE = 16
"""Other sizes that a model leaves open."""


@dataclass(frozen=True)
class Network:
    """A loaded original.

    Attributes:
        call: Takes one tensor for each input, gives tensors by name, or a tensor.
        inputs: Name → (shape, dtype); None for a size that is left open.
        origin: What it is, in words.
        keep: What must stay alive.
    """

    call: Callable[..., Any]
    inputs: Mapping[str, tuple[tuple[int | None, ...], str]]
    origin: str
    keep: Any = None


def convert(task: Task) -> Drawn:
    """Do a task.

    Raises:
        ModelError: See `satchel_models.convert.convert`.
    """
    say("Loading the model")
    network = _LOADERS[task.kind](task.original)
    renamed = _renamed(network, task.original)
    inputs = _inputs(renamed, task.original)
    say("Running the original")
    cases, found = _answers(network, inputs, task.original)
    names = exchange.named(found, task.original)
    say("Translating to ONNX")
    _write(network, inputs, found, names, task)
    return Drawn(network.origin, cases)


def _keras(original: Original) -> Network:
    import keras

    if original.factory:
        _import(original.factory)
    try:
        model = keras.saving.load_model(original.path, compile=False, safe_mode=not original.trust)
    except Exception as error:  # of many kinds
        said = last_words(error)
        if "unsafe" in said.lower() or "safe_mode" in str(error):
            raise UntrustedError(
                f"{original.path} has a layer that is Python code (a Lambda), which runs when the "
                "model is loaded. Whoever made it can do anything that you can on this machine. "
                "If you trust them: --trust."
            ) from error
        raise ConversionError(
            f"{original.path} cannot be loaded by Keras {keras.__version__}: "
            f"{type(error).__name__}: {said}. For layers of your own: --factory MODULE, the one "
            "that registers them with keras.saving.register_keras_serializable."
        ) from error
    inputs = {
        tensor.name.split(":")[0]: (tuple(tensor.shape), tf.as_dtype(tensor.dtype).name)
        for tensor in model.inputs
    }
    several = len(inputs) > 1
    names = list(getattr(model, "output_names", []) or [])

    def call(*tensors: Any) -> Any:
        result = model(list(tensors) if several else tensors[0], training=False)
        if isinstance(result, (list, tuple)) and len(names) == len(result):
            return dict(zip(names, result, strict=True))
        return result

    return Network(call, inputs, f"Keras model ({model.name})", model)


def _saved_model(original: Original) -> Network:
    """A SavedModel's graph, without its Python objects: those may be an older Keras's."""
    v1 = tf.compat.v1
    graph = tf.Graph()
    try:
        with graph.as_default(), v1.Session() as session:
            signatures = v1.saved_model.load(session, ["serve"], str(original.path)).signature_def
            name = SIGNATURE if SIGNATURE in signatures else next(iter(signatures))
            takes, gives = signatures[name].inputs, signatures[name].outputs
            nodes = [tensor.name.split(":")[0] for tensor in gives.values()]
            frozen = v1.graph_util.convert_variables_to_constants(
                session, graph.as_graph_def(), nodes
            )
    except Exception as error:  # of many kinds
        raise ConversionError(
            f"{original.path} cannot be loaded as a SavedModel with the tag serve and a signature: "
            f"{type(error).__name__}: {last_words(error)}. Save it with model.export(folder)."
        ) from error
    ordered = sorted(gives)
    function = v1.wrap_function(lambda: tf.graph_util.import_graph_def(frozen, name=""), []).prune(
        [f"{takes[key].name}" for key in sorted(takes)], [gives[key].name for key in ordered]
    )
    inputs = {}
    for key in sorted(takes):
        shape, dtype = takes[key].tensor_shape, tf.as_dtype(takes[key].dtype).name
        inputs[key] = (tuple(dim.size if dim.size > 0 else None for dim in shape.dim), dtype)

    def call(*tensors: Any) -> Any:
        return dict(zip(ordered, tf.nest.flatten(function(*tensors)), strict=True))

    return Network(call, inputs, f"{Kind.SAVED_MODEL}, signature {name}")


def _import(factory: str) -> None:
    name = factory.partition(":")[0]
    try:
        importlib.import_module(name)
    except ImportError as error:
        raise ConversionError(
            f"{name} cannot be imported ({last_words(error)}). It is looked for in the current "
            "folder and beside the model."
        ) from error


def _renamed(network: Network, original: Original) -> dict[str, tuple[tuple[int | None, ...], str]]:
    """The inputs under the developer's names, if there are any."""
    said = list(original.inputs or network.inputs)
    if len(said) != len(network.inputs):
        raise ConversionError(
            f"{original.path} has {len(network.inputs)} inputs ({', '.join(network.inputs)}), "
            f"not {len(said)}."
        )
    return dict(zip(said, network.inputs.values(), strict=True))


def _inputs(
    said: Mapping[str, tuple[tuple[int | None, ...], str]], original: Original
) -> tuple[Input, ...]:
    """What to run it with: the developer's sizes, else a guess for those that are open."""
    examples = {name: shape for name, (shape, _) in (original.inputs or {}).items()}
    inputs = []
    for name, (shape, dtype) in said.items():
        if dtype == "string":
            raise ConversionError(
                f"{original.path}: input {name} is text. Do what splits texts in Python, and "
                "export the network behind it."
            )
        guess = GUESS if len(shape) == 4 else SEQUENCE
        sizes = examples.get(name) or tuple(
            (1 if axis == 0 else guess) if size is None else size for axis, size in enumerate(shape)
        )
        inputs.append(Input(name, dtype, sizes, 0 if shape and shape[0] is None else None))
    return tuple(inputs)


def _answers(
    network: Network, inputs: Sequence[Input], original: Original
) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    feeds = [samples.draw(inputs, seed) for seed in SEEDS]
    batches = [(feed, 1) for feed in feeds]
    if all(each.axis is not None for each in inputs):
        batches.append((samples.joined(inputs, feeds), 2))
    cases: list[Case] = []
    names: tuple[str, ...] = ()
    for feed, batch in batches:
        try:
            found = _run(network, feed, inputs)
        except Exception as error:  # somebody else's code
            shown = ", ".join(f"{each.name} {each.dtype} {list(each.shape)}" for each in inputs)
            raise ConversionError(
                f"{original.path} doesn't run with {shown}: {type(error).__name__}: "
                f"{last_words(error)}. Give example sizes with --input NAME=1x16:float32."
            ) from error
        names = tuple(found)
        cases.append(Case(feed, list(found.values()), batch))
    return tuple(cases), names


def _run(
    network: Network, feeds: Mapping[str, NDArray[np.generic]], inputs: Sequence[Input]
) -> dict[str, NDArray[np.generic]]:
    tensors = [tf.constant(feeds[each.name]) for each in inputs]
    return {name: value.numpy() for name, value in _named(network.call(*tensors)).items()}


def _named(result: Any) -> dict[str, Any]:
    """Outputs by name, in a fixed order."""
    if isinstance(result, Mapping):
        return dict(result)
    leaves = tf.nest.flatten(result)
    if len(leaves) == 1:
        return {"output": leaves[0]}
    return {f"output_{k}": leaf for k, leaf in enumerate(leaves)}


def _write(
    network: Network,
    inputs: Sequence[Input],
    found: Sequence[str],
    names: Sequence[str],
    task: Task,
) -> None:
    dynamic = task.original.dynamic or {}
    signature = [
        tf.TensorSpec(
            [
                None if axis == each.axis or axis in dynamic.get(each.name, ()) else size
                for axis, size in enumerate(each.shape)
            ],
            each.dtype,
            name=each.name,
        )
        for each in inputs
    ]

    def outputs(*tensors: Any) -> tuple[Any, ...]:
        result = _named(network.call(*tensors))
        # An output that is an input, or twice the same one, needs a node of its own.
        return tuple(tf.identity(result[name]) for name in found)

    path = task.folder / GRAPH
    try:
        tf2onnx.convert.from_function(
            tf.function(outputs, autograph=False),
            input_signature=signature,
            opset=OPSET,
            output_path=str(path),
        )
    except Exception as error:  # its errors have no common class
        raise ConversionError(
            f"tf2onnx can't translate {task.original.path}: {type(error).__name__}: "
            f"{last_words(error)}."
        ) from error
    _rename(path, [each.name for each in inputs], names, task)


def _rename(path: Any, inputs: Sequence[str], outputs: Sequence[str], task: Task) -> None:
    """Call inputs, outputs and the batch by their names; tf2onnx numbers them."""
    import onnx

    model = onnx.load(path)
    graph = model.graph
    foreign = sorted({node.op_type for node in graph.node if node.domain not in {"", "ai.onnx.ml"}})
    if foreign:
        raise UnsupportedOperatorError(
            f"{task.original.path} has operators that ONNX doesn't have: {', '.join(foreign)}. "
            "Replace them in the model, or leave that part out of it and do it in Python."
        )
    given = [value.name for value in graph.input]
    order = [next(n for n in given if n.split(":")[0] == name) for name in inputs]
    got = [value.name for value in graph.output]
    new = {**dict(zip(order, inputs, strict=True)), **dict(zip(got, outputs, strict=True))}
    values = {value.name: value for value in graph.input}
    sorted_inputs = [values[name] for name in order]
    del graph.input[:]
    graph.input.extend(sorted_inputs)
    for value in (*graph.input, *graph.output, *graph.value_info):
        value.name = new.get(value.name, value.name)
    for node in graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]
    for value in graph.input:
        for axis, dim in enumerate(value.type.tensor_type.shape.dim):
            if not dim.dim_value:
                dim.dim_param = BATCH if axis == 0 else f"{value.name}_{axis}"
    onnx.save(model, path)


_LOADERS: Mapping[Kind, Callable[[Original], Network]] = {
    Kind.KERAS: _keras,
    Kind.KERAS_HDF5: _keras,
    Kind.SAVED_MODEL: _saved_model,
}


if __name__ == "__main__":
    raise SystemExit(exchange.main(convert))
