"""Writes PyTorch originals as `.tflite`: `python -m satchel_models.litert.from_torch DIR`.

DIR is described in `satchel_models.convert.exchange`. Runs where litert-torch is installed
(https://github.com/google-ai-edge/litert-torch).
"""

import re
from typing import Any

import litert_torch
import numpy as np
import torch

from satchel_models.convert import exchange, from_torch, samples, torch_export
from satchel_models.convert.exchange import Drawn, Task, last_words, say
from satchel_models.convert.kinds import Kind
from satchel_models.convert.torch_export import Flat
from satchel_models.errors import ConversionError, UnsupportedOperatorError
from satchel_models.litert.exchange import write_raw
from satchel_models.photo_face import PhotoFace

_MISSING = re.compile(r"Lowering not found: (?:<OpOverload\(op=')?([\w.:]+)")


def convert(task: Task) -> Drawn:
    """Do a task.

    Raises:
        ModelError: It can't be loaded, or has operators that LiteRT doesn't.
    """
    say("Loading the network")
    network, inputs, flat = from_torch.opened(task)
    example = tuple(map(torch.from_numpy, map(np.array, samples.draw(inputs, 0).values())))
    module: Any = flat
    if task.kind is Kind.TORCHSCRIPT:
        module = _followed(flat, example)
    names = [each.name for each in inputs]
    if task.face is None:
        with torch.inference_mode():
            results = torch_export.outputs(flat.named(*example))
        outputs = exchange.named(results, task.original)
    else:
        module, example = Faced(module, task.face), (_pixels(task.face),)
        names, outputs = [task.face.image], (task.face.probabilities,)
    say("Writing it for LiteRT")
    write_raw(task.folder, _converted(module, example), names, outputs)
    return Drawn(network.origin, (), network.notes)


class Faced(torch.nn.Module):  # type: ignore[misc]
    """A network that takes a photo, float32 [1, height, width, 3], and gives probabilities.

    Args:
        network: One input; a flat tuple of outputs.
        face: What it takes and gives. Where bytes are its input but for a scale and a zero point
            (`PhotoFace.direct`), it takes what they stand for, else 0 … 255.
    """

    def __init__(self, network: Any, face: PhotoFace) -> None:
        super().__init__()
        self.network, self.face = network, face
        weights, more = face.colours()
        self.weights = torch.nn.Buffer(torch.from_numpy(weights)[:, :, None, None])
        self.more = torch.nn.Buffer(torch.from_numpy(more))

    def forward(self, photo: Any) -> Any:
        """Run it."""
        x = photo.permute(0, 3, 1, 2)
        if self.face.direct is None:
            x = torch.nn.functional.conv2d(x, self.weights, self.more)
        if self.face.layout == "nhwc":
            x = x.permute(0, 2, 3, 1)
        if self.face.rank == 3:
            x = x.reshape(1, self.face.height, self.face.width)
        elif self.face.rank == 2:
            x = x.reshape(1, -1)
        x = self.network(x)[self.face.output].reshape(1, self.face.classes)
        return torch.softmax(x, -1) if self.face.softmax else x


def _pixels(face: PhotoFace) -> Any:
    return torch.zeros(1, face.height, face.width, 3)


def _followed(flat: Flat, example: tuple[Any, ...]) -> Any:
    """A compiled module as one that PyTorch's exporter can follow.

    Raises:
        ConversionError: With PyTorch's words.
    """
    from torch._export.converter import TS2EPConverter

    try:
        with torch_export.quiet(), torch.no_grad():
            program = TS2EPConverter(flat.network, example).convert()
    except Exception as error:  # its errors have no common class
        raise ConversionError(
            f"PyTorch can't follow this TorchScript: {last_words(error)}. Give the module that it "
            "was made from, saved with torch.export.save."
        ) from error
    return Flat(program.module(), flat.names, by_name=False)


def _converted(module: Any, example: tuple[Any, ...]) -> bytes:
    """The file that LiteRT's converter makes.

    Raises:
        ConversionError: With its words.
    """
    try:
        with torch_export.quiet(), torch.no_grad():
            for inner in module.modules():
                inner.training = False  # an exported program refuses to be asked
            made = litert_torch.convert(module, example)
    except Exception as error:  # its errors have no common class
        missing = _MISSING.search(str(error))
        if missing:
            raise UnsupportedOperatorError(
                f"LiteRT's converter has no translation of {missing.group(1)}. Replace that "
                "operator in the network, or leave that part out of it and do it in Python."
            ) from error
        raise ConversionError(f"LiteRT's converter refuses it: {last_words(error)}.") from error
    data: bytes = made.model_content()
    return data


if __name__ == "__main__":
    raise SystemExit(exchange.main(convert))
