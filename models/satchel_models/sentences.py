"""An embedding model's artefacts, made from the weights that a package carries.

    python -m satchel_models.sentences minilm-l6 --out DIR

Writes the variant's model and the tokenizer's data to DIR; takes seconds, no PyTorch, and
gives the same bytes each time. The tokenizer's file is text: one line of JSON with what
`satchel.tasks.embed` must know, then the vocabulary, one token a line, ids from 0.
"""

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from satchel_models import graph, source
from satchel_models.bert import Dimensions, Encoder, load
from satchel_models.bert_int8 import Int8Encoder
from satchel_models.embed_recipe import EmbedRecipe
from satchel_models.errors import ModelError, NumericsError, SourceError

RECIPES = Path(__file__).resolve().parent.parent

# Of the checked embeddings, artefact against float32: 0.993 is usual, 0.979 was seen on a sentence.
COSINE = 0.96

# What the artefact is checked with, beside the original, before anyone gets it.
SENTENCES = (
    "A man is playing a guitar on stage.",
    "The recipe says to fold the egg whites in slowly.",
    "Shares fell by two percent after the announcement.",
    "How do I keep a model on this device?",
)

SPECIAL = {"start": "[CLS]", "end": "[SEP]", "padding": "[PAD]", "unknown": "[UNK]"}


@dataclass(frozen=True)
class Made:
    """What came out.

    Attributes:
        model: The written file.
        sha256: Of the model.
        size: Of the model (bytes).
        cosine: Smallest cosine between the artefact's and the original's embeddings.
    """

    model: Path
    sha256: str
    size: int
    cosine: float


@dataclass(frozen=True)
class Originals:
    """The files of the source, here and verified."""

    weights: Path
    config: Path
    tokenizer: Path
    tokenizer_config: Path


def originals(recipe: EmbedRecipe, cache: Path) -> Originals:
    """Fetch what is missing to `cache`.

    Raises:
        SourceError: pip fails, or a file is not the one that the recipe names.
    """
    packages = recipe.source.packages
    return Originals(
        **{
            name: source.file(packages, wanted.path, wanted.sha256, cache)
            for name, wanted in recipe.source.files.items()
        }
    )


def original(recipe: EmbedRecipe, cache: Path) -> bytes:
    """The float32 original as an ONNX file."""
    files = originals(recipe, cache)
    encoder = Encoder(
        load(files.weights), Dimensions.read(files.config), recipe.encoding.max_tokens
    )
    data: bytes = graph.canonical(encoder.sentences()).SerializeToString(deterministic=True)
    return data


def make(recipe: EmbedRecipe, out: Path, cache: Path) -> Made:
    """Make the artefacts of `recipe` in `out`; packages that are missing come to `cache`.

    Raises:
        SourceError: the original can't be had, or is of another kind.
        NumericsError: the artefact's answers are too far from the original's, or it is too large.
    """
    files = originals(recipe, cache)
    weights, dimensions = load(files.weights), Dimensions.read(files.config)
    longest = recipe.encoding.max_tokens
    plain = Encoder(weights, dimensions, longest).sentences()
    small = graph.canonical(Int8Encoder(weights, dimensions, longest).sentences())
    data = small.SerializeToString(deterministic=True)
    if len(data) > recipe.encoding.max_bytes:
        raise NumericsError(
            f"{recipe.id} has {len(data):,} bytes, more than {recipe.encoding.max_bytes:,}."
        )
    cosine = 1.0
    for text in SENTENCES:
        feeds = _feeds(files.tokenizer, text)
        before, after = graph.run(plain, feeds), graph.run(data, feeds, "disabled")
        cosine = min(cosine, float((before * after).sum()))
    if not cosine >= COSINE:
        raise NumericsError(
            f"{recipe.id}: embeddings have cosine {cosine:.4f} with the original's, below {COSINE}."
        )
    out.mkdir(parents=True, exist_ok=True)
    model = out / recipe.variants[0].file
    model.write_bytes(data)
    text = tokenizer_text(files.tokenizer, longest)
    (out / recipe.files["tokenizer"]).write_text(text, encoding="utf-8", newline="\n")
    return Made(model, hashlib.sha256(data).hexdigest(), len(data), cosine)


def tokenizer_text(path: Path, max_tokens: int) -> str:
    """What a device needs of a tokenizer.json: see the module.

    Raises:
        SourceError: It is no lower-casing BERT tokenizer.
    """
    found = json.loads(path.read_text(encoding="utf-8"))
    kinds = [found[name]["type"] for name in ("normalizer", "pre_tokenizer", "model")]
    if kinds != ["BertNormalizer", "BertPreTokenizer", "WordPiece"]:
        raise SourceError(f"{path} is no BERT tokenizer: {', '.join(map(str, kinds))}.")
    if not found["normalizer"]["lowercase"] or found["normalizer"]["strip_accents"] is False:
        raise SourceError(f"{path} keeps case or accents, which the device's tokenizer does not.")
    vocabulary: dict[str, int] = found["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    if [vocabulary[token] for token in tokens] != list(range(len(tokens))):
        raise SourceError(f"{path}: the vocabulary's ids have gaps.")
    special = [entry["content"] for entry in found["added_tokens"]]
    settings = {
        "max_tokens": max_tokens,
        "longest": max(map(len, tokens)),
        "special": special,
        **SPECIAL,
    }
    return "\n".join([json.dumps(settings, sort_keys=True), *tokens]) + "\n"


def _feeds(tokenizer: Path, text: str) -> dict[str, NDArray[np.generic]]:
    """A text of words that the vocabulary has, as a model's input."""
    vocabulary = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]["vocab"]
    words = text.lower().replace(".", " .").replace("?", " ?").split()
    ids = np.array([[vocabulary[w] for w in ("[CLS]", *words, "[SEP]")]], np.int64)
    return {"input_ids": ids, "attention_mask": np.ones_like(ids)}


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="satchel_models.sentences", description=__doc__)
    parser.add_argument("model", help="the recipe's id")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--recipes", type=Path, default=RECIPES)
    parser.add_argument("--cache", type=Path, default=Path(".cache/originals"))
    options = parser.parse_args(arguments)
    try:
        recipe = EmbedRecipe.load(options.recipes / options.model)
        done = make(recipe, options.out, options.cache)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{done.model}: {done.size:,} bytes, sha256 {done.sha256}")
    print(f"  embeddings against float32: cosine {done.cosine:.4f} at worst")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
