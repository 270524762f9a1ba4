"""Converts Keras and TensorFlow originals: `python -m satchel_models.convert.from_keras DIR`.

DIR is described in `satchel_models.convert.exchange`. Runs where TensorFlow, Keras and tf2onnx
(https://github.com/onnx/tensorflow-onnx) are installed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray

from satchel_models.convert import exchange, keras_networks, samples
from satchel_models.convert.exchange import GRAPH, Drawn, Task, last_words, say
from satchel_models.convert.keras_networks import Network
from satchel_models.convert.numerics import Case
from satchel_models.convert.original import Original
from satchel_models.convert.samples import BATCH, Input
from satchel_models.errors import ConversionError, UnsupportedOperatorError

SEEDS = (0, 1)
"""Of the samples that the original answers."""

OPSET = 17
"""What tf2onnx 1.17 writes best; its newest is 18."""

GUESS = 224
"""Sizes of images that a model leaves open, in pixels."""

SEQUENCE = 16
"""Other sizes that a model leaves open."""


def convert(task: Task) -> Drawn:
    """Do a task.

    Raises:
        ModelError: See `satchel_models.convert.convert`.
    """
    say("Loading the model")
    network, inputs = opened(task)
    say("Running the original")
    cases, found = _answers(network, inputs, task.original)
    names = exchange.named(found, task.original)
    say("Translating to ONNX")
    _write(network, inputs, found, names, task)
    return Drawn(network.origin, cases)


def opened(task: Task) -> tuple[Network, tuple[Input, ...]]:
    """The original, and what it takes.

    Raises:
        ModelError: See `satchel_models.convert.convert`.
    """
    network = keras_networks.load(task)
    return network, _inputs(_renamed(network, task.original), task.original)


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
    return {name: value.numpy() for name, value in named(network.call(*tensors)).items()}


def named(result: Any) -> dict[str, Any]:
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
        result = named(network.call(*tensors))
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


if __name__ == "__main__":
    raise SystemExit(exchange.main(convert))
