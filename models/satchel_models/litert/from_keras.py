"""Writes Keras and TensorFlow originals as `.tflite`: `python -m satchel_models.litert.from_keras`.

Its argument is a folder as `satchel_models.convert.exchange` describes it. Runs where TensorFlow
and Keras are installed.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from satchel_models.convert import exchange, from_keras, samples
from satchel_models.convert.exchange import Drawn, Task, last_words, say
from satchel_models.errors import ConversionError
from satchel_models.litert.exchange import write_raw
from satchel_models.photo_face import PhotoFace


def convert(task: Task) -> Drawn:
    """Do a task.

    Raises:
        ModelError: It can't be loaded, or has operators that LiteRT doesn't.
    """
    say("Loading the model")
    network, inputs = from_keras.opened(task)
    shapes = [(each.shape, each.dtype) for each in inputs]
    names = [each.name for each in inputs]
    example = samples.draw(inputs, 0)
    results = tuple(from_keras.named(network.call(*map(tf.constant, example.values()))))

    def flat(*tensors: Any) -> tuple[Any, ...]:
        found = from_keras.named(network.call(*tensors))
        return tuple(tf.identity(found[name]) for name in results)

    call: Any = flat
    outputs = exchange.named(results, task.original)
    if task.face is not None:
        face = task.face
        shapes = [((1, face.height, face.width, 3), "float32")]
        names, outputs = [face.image], (face.probabilities,)

        def call(photo: Any) -> tuple[Any, ...]:
            return (faced(flat, face, photo),)

    say("Writing it for LiteRT")
    write_raw(task.folder, _converted(call, shapes), names, outputs)
    return Drawn(network.origin, ())


def faced(network: Any, face: PhotoFace, photo: Any) -> Any:
    """Probabilities of a photo; see `satchel_models.litert.from_torch.Faced`."""
    x = photo
    if face.direct is None:
        weights, more = face.colours()
        x = tf.nn.conv2d(x, weights.T[None, None], 1, "VALID") + more
    if face.layout == "nchw":
        x = tf.transpose(x, (0, 3, 1, 2))
    if face.rank == 3:
        x = tf.reshape(x, (1, face.height, face.width))
    elif face.rank == 2:
        x = tf.reshape(x, (1, -1))
    x = tf.reshape(network(x)[face.output], (1, face.classes))
    return tf.nn.softmax(x) if face.softmax else x


class _Numbered(tf.Module):  # type: ignore[misc]
    """A function whose outputs are called "out_0" and so on: signatures are made of names."""

    def __init__(self, call: Any) -> None:
        super().__init__()
        self.call = call

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def run(self, *tensors: Any) -> dict[str, Any]:
        """Run it."""
        return {f"out_{k}": value for k, value in enumerate(tf.nest.flatten(self.call(*tensors)))}


def _converted(call: Any, shapes: Sequence[tuple[tuple[int, ...], str]]) -> bytes:
    """The file that TensorFlow's converter makes.

    Raises:
        ConversionError: With its words.
    """
    named = [tf.TensorSpec(*one, name=f"in_{k}") for k, one in enumerate(shapes)]
    try:
        traced = tf.function(call, autograph=False).get_concrete_function(*named)
        numbered = _Numbered(convert_variables_to_constants_v2(traced))
        concrete = numbered.run.get_concrete_function(*named)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], numbered)
        data: bytes = converter.convert()
    except Exception as error:  # its errors have no common class
        raise ConversionError(f"LiteRT's converter refuses it: {last_words(error)}.") from error
    return data


if __name__ == "__main__":
    raise SystemExit(exchange.main(convert))
