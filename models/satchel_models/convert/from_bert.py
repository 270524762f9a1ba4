"""Plain BERT encoders: the graph is built from the weights (`satchel_models.bert`).

It is compared with `transformers` in the tests, not here: that would need PyTorch.
"""

from pathlib import Path
from typing import cast

import numpy as np
import onnx
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from satchel_models.bert import Dimensions, Encoder, Pooling
from satchel_models.convert.finishing import Draft
from satchel_models.convert.hugging_face import CONFIG, Folder
from satchel_models.errors import ConversionError

GRAPH = "drafted.onnx"

PREFIX = "bert."
"""Before the names of weights that were saved with a head, which isn't used."""


def draft(folder: Folder, out: Path) -> Draft:
    """Build the graph in `out`.

    A sentence encoder takes `input_ids` and `attention_mask` and gives `embedding`; a bare network
    takes `token_type_ids` too and gives `last_hidden_state`.

    Raises:
        ConversionError: Weights are missing or damaged.
    """
    weights = _weights(folder.path)
    dimensions = Dimensions.read(folder.path / CONFIG)
    tokens = min(folder.tokens or 512, len(weights["embeddings.position_embeddings.weight"]))
    bare = folder.sentences is None
    encoder = Encoder(weights, dimensions, tokens, token_types=bare)
    try:
        model = _model(encoder, folder)
    except KeyError as error:
        raise ConversionError(
            f"{folder.path} lacks the weight {error}, which a BERT encoder of "
            f"{dimensions.layers} layers has. Get the folder again."
        ) from error
    onnx.save(model, out / GRAPH)
    what = "sentence encoder" if folder.sentences else "encoder"
    note = f"It takes texts of {tokens} tokens at most."
    return Draft(out / GRAPH, f"Hugging Face BERT {what}", notes=(note,))


def _model(encoder: Encoder, folder: Folder) -> onnx.ModelProto:
    if folder.sentences is None:
        return encoder.hidden_states()
    pooling = cast(Pooling, folder.sentences.pooling)
    return encoder.sentences(pooling, normalised=folder.sentences.normalised)


def _weights(path: Path) -> dict[str, NDArray[np.float32]]:
    found: dict[str, NDArray[np.float32]] = {}
    for file in sorted(path.glob("*.safetensors")):
        try:
            tensors = load_file(file)
        except (SafetensorError, OSError) as error:
            raise ConversionError(f"{file} is damaged ({error}). Get it again.") from error
        found.update(
            (name.removeprefix(PREFIX), value.astype(np.float32)) for name, value in tensors.items()
        )
    if "embeddings.position_embeddings.weight" not in found:
        raise ConversionError(f"{path} lacks a BERT encoder's weights. Get the folder again.")
    return found
