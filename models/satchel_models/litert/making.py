"""Makes LiteRT's candidates of a network: `python -m satchel_models.litert.making DIR`.

DIR is described in `satchel_models.litert.exchange`. Runs where ai-edge-quantizer is installed
(https://github.com/google-ai-edge/ai-edge-quantizer).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import qtyping, quantizer, recipe
from numpy.typing import NDArray

from satchel_models.convert import exchange as converting
from satchel_models.convert.exchange import Drawn, Task, last_words, say
from satchel_models.errors import ModelError, UnsuitableError
from satchel_models.litert import edits, exchange, flatbuffer, plan, ranges, sizes
from satchel_models.litert.exchange import Made, Ranges, Wanted
from satchel_models.photo_face import PhotoFace
from satchel_models.steps import Feeds

LEAVE = "no_quantize"
OPERATIONS = qtyping.TFLOperationName


def make(task: Task) -> Drawn:
    """Do a task."""
    wanted, samples = exchange.read_wanted(task.folder)
    network = _network(*exchange.read_raw(task.folder))
    bench = _Bench(network, wanted, samples)
    for name in wanted.methods:
        say(f"Making {name}")
        bench.make(name)
    bench.climb()
    files = {}
    for name, data in bench.made.items():
        files[name] = f"{name}.tflite"
        (task.folder / files[name]).write_bytes(data)
    made = Made(files, bench.refused, bench.ranges or {})
    exchange.write_made(task.folder, made, bench.answers)
    return Drawn("", ())


class _Bench:
    """Where candidates are made and tried."""

    def __init__(self, network: bytes, wanted: Wanted, samples: Sequence[Feeds]) -> None:
        self.network, self.wanted, self.samples = network, wanted, samples
        self.ranges = wanted.ranges
        self.made: dict[str, bytes] = {}
        self.answers: dict[str, exchange.Answers] = {}
        self.refused: dict[str, str] = {}

    def make(self, name: str) -> None:
        """Make a candidate; it counts if it runs."""
        try:
            data = self._data(name)
            self.answers[name] = answers(data, self.samples[: self.wanted.trials])
            self.made[name] = data
        # Quantisers raise whatever they like; a candidate that can't be made is none.
        except Exception as error:  # noqa: BLE001
            self.refused[name] = f"It can't be made: {last_words(error)}."

    def climb(self) -> None:
        """Make files for smaller images, of the first candidate that takes them."""
        base = next((name for name in plan.LADDER if name in self.made), None)
        if base is None:
            return
        for side, feeds in self.wanted.smaller.items():
            name = f"{base}@{side}"
            try:
                shapes = {key: value.shape for key, value in feeds.items()}
                data = sizes.resized(self.made[base], shapes)
                self.answers[name] = answers(data, [feeds])
                self.made[name] = data
            except (ModelError, RuntimeError, ValueError) as error:
                self.refused[name] = f"No smaller inputs: {last_words(error)}."

    def _data(self, name: str) -> bytes:
        if name == plan.FLOAT32:
            return _outer(self.network, self.wanted.face)
        if name == plan.WEIGHTS:
            return _outer(_weights(self.network), self.wanted.face)
        if self.ranges is None:
            self.ranges = ranges.measured(
                self.network,
                flatbuffer.computed(flatbuffer.read(self.network)),
                [_inner(feeds, self.wanted.face) for feeds in self.samples],
            )
        return _outer(_static(self.network, self.ranges), self.wanted.face)


def answers(data: bytes, feeds: Sequence[Feeds]) -> list[Mapping[str, NDArray[Any]]]:
    """What a file answers, by the names of its signature."""
    runner = Interpreter(model_content=data).get_signature_runner()
    return [{name: np.array(value) for name, value in runner(**one).items()} for one in feeds]


def _network(raw: bytes, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """What a converter wrote, with our names."""
    model = flatbuffer.read(raw)
    if len(model.subgraphs) > 1:
        raise UnsuitableError(
            "It has branches or loops, which stay as they are in a .tflite file and can't be "
            "stored small. Export it without them."
        )
    flatbuffer.named(model, inputs, outputs)
    flatbuffer.canonical(model)
    return flatbuffer.write(model)


def _weights(network: bytes) -> bytes:
    worker = quantizer.Quantizer(network)
    worker.load_quantization_recipe(recipe.weight_only_wi8_afp32())
    return bytes(worker.quantize().quantized_model)


def _static(network: bytes, found: Ranges) -> bytes:
    model = flatbuffer.read(network)
    worker = quantizer.Quantizer(network)
    worker.load_quantization_recipe(recipe.static_wi8_ai8())
    floats = [_exactly(name) for name in (*edits.endings(model), *edits.heads(model))]
    left = [(".*", OPERATIONS.INPUT), (".*", OPERATIONS.OUTPUT)]
    left += [(scope, OPERATIONS.ALL_SUPPORTED) for scope in floats]
    for scope, operation in left:
        worker.update_quantization_recipe(scope, operation, algorithm_key=LEAVE)
    for name in edits.heads(model):
        worker.add_dynamic_config(_exactly(name), OPERATIONS.FULLY_CONNECTED, num_bits=8)
    given = {
        name: {"min": np.array([low], np.float32), "max": np.array([high], np.float32)}
        for name, (low, high) in found.items()
    }
    return bytes(worker.quantize(given).quantized_model)


def _exactly(name: str) -> str:
    """Matches the operator whose output is called that: its scope is all outputs' names."""
    return f"^{re.escape(name)};"


def _inner(feeds: Feeds, face: PhotoFace | None) -> dict[str, NDArray[Any]]:
    """Samples as the network takes them, before it takes bytes."""
    if face is None:
        return dict(feeds)
    scale, zero = face.direct or (1.0, 0)
    image = (feeds[face.image].astype(np.float32) - zero) * np.float32(scale)
    return {face.image: image}


def _outer(data: bytes, face: PhotoFace | None) -> bytes:
    """A file as devices see it; the quantiser has its own order and names."""
    model = flatbuffer.read(data)
    if face is not None:
        edits.take_bytes(model, *(face.direct or (1.0, 0)))
    flatbuffer.canonical(model)
    return flatbuffer.write(model)


if __name__ == "__main__":
    raise SystemExit(converting.main(make))
