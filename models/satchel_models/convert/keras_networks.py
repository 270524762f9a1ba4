"""Keras and TensorFlow originals, loaded: something that takes tensors and gives tensors.

Runs where TensorFlow and Keras are installed.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from satchel_models.convert.exchange import Task, last_words
from satchel_models.convert.kinds import Kind
from satchel_models.convert.original import Original
from satchel_models.errors import ConversionError, UntrustedError

SIGNATURE = "serving_default"


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


def load(task: Task) -> Network:
    """The original.

    Raises:
        UntrustedError: Loading would run code that is in the file.
        ConversionError: It doesn't load.
    """
    return _LOADERS[task.kind](task.original)


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


_LOADERS: Mapping[Kind, Callable[[Original], Network]] = {
    Kind.KERAS: _keras,
    Kind.KERAS_HDF5: _keras,
    Kind.SAVED_MODEL: _saved_model,
}
