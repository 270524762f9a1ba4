"""The same weights as a model folder of transformers.js, to measure side by side.

The network's operators and numbers are those of our own artefact. The face is the one that
transformers.js expects: three inputs, the last layer as output, pooling left to JavaScript.
"""

import shutil
from pathlib import Path

from satchel_models import graph, sentences
from satchel_models.bert import Dimensions, load
from satchel_models.bert_int8 import Int8Encoder
from satchel_models.embed_recipe import EmbedRecipe

POSITIONS = 512
"""Tokens of the longest text: what its tokenizer's own configuration says."""

MODEL = Path("onnx/model_quantized.onnx")
"""Where transformers.js looks for `dtype: "q8"`."""


def transformers_js_folder(recipe: EmbedRecipe, out: Path, cache: Path) -> None:
    """Write config.json, tokenizer.json, tokenizer_config.json and the model to `out`.

    Args:
        recipe: An embedding model's.
        out: The folder, which is made.
        cache: Where packages that are missing come to.

    Raises:
        SourceError: The original can't be had.
    """
    files = sentences.originals(recipe, cache)
    weights, dimensions = load(files.weights), Dimensions.read(files.config)
    encoder = Int8Encoder(weights, dimensions, POSITIONS, token_types=True)
    data = graph.canonical(encoder.hidden_states()).SerializeToString(deterministic=True)
    (out / MODEL).parent.mkdir(parents=True, exist_ok=True)
    (out / MODEL).write_bytes(data)
    for path in (files.config, files.tokenizer, files.tokenizer_config):
        shutil.copyfile(path, out / path.name)
