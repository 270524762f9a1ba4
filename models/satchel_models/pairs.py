"""Pairs of sentences that people have scored, and the float32 original's view of them.

The data is a CSV without a header: `sentence1,sentence2,score`, as the STS benchmark comes.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel_models import graph, sentences
from satchel_models.embed_recipe import EmbedRecipe
from satchel_models.errors import ModelError

BATCH = 32  # texts; more doesn't make two cores faster


@dataclass(frozen=True)
class Pair:
    """Two sentences, and how alike people found them (higher is more)."""

    first: str
    second: str
    score: float


def read_pairs(path: Path) -> list[Pair]:
    """The rows of a CSV.

    Raises:
        ModelError: no such file, no rows, or a row of another form; it is named.
    """
    pairs = []
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            for number, row in enumerate(csv.reader(lines), 1):
                try:
                    first, second, score = row
                    pairs.append(Pair(first, second, float(score)))
                except ValueError as error:
                    raise ModelError(
                        f"{path}, row {number}: expected sentence1,sentence2,score ({error})."
                    ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} cannot be read: {error}.") from error
    if len(pairs) < 2:
        raise ModelError(f"{path} holds {len(pairs)} pairs; a correlation needs two at least.")
    return pairs


def spearman(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Spearman's rank correlation: Pearson's of the ranks, ties sharing their mean rank.

    >>> round(spearman(np.array([1, 2, 3, 4]), np.array([10, 20, 20, 90])), 4)
    0.9487
    """
    return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def cosines(vectors: dict[str, NDArray[np.float32]], pairs: Sequence[Pair]) -> NDArray[np.float64]:
    """How alike a model finds each pair; its vectors are of length 1."""
    return np.array([float(vectors[p.first] @ vectors[p.second]) for p in pairs])


def original(
    recipe: EmbedRecipe, texts: Sequence[str], cache: Path
) -> dict[str, NDArray[np.float32]]:
    """The float32 original's vectors by text: its ONNX form on the CPU, Hugging Face's tokenizer.

    Raises:
        SourceError: the original can't be had.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(sentences.originals(recipe, cache).tokenizer))
    tokenizer.enable_truncation(recipe.encoding.max_tokens)
    tokenizer.enable_padding()
    session = graph.session(sentences.original(recipe, cache), "extended")
    # Texts of one length together, so that little is computed for padding.
    ordered = sorted(set(texts), key=len)
    vectors: dict[str, NDArray[np.float32]] = {}
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        encoded = tokenizer.encode_batch(batch)
        feeds = {
            "input_ids": np.array([one.ids for one in encoded], np.int64),
            "attention_mask": np.array([one.attention_mask for one in encoded], np.int64),
        }
        vectors.update(zip(batch, session.run(None, feeds)[0], strict=True))
    return vectors


def _ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: NDArray[np.float64] = (last - (counts - 1) / 2)[inverse]
    return ranks
