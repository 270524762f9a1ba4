"""A CSV without a header: pairs of sentences with people's scores, or one text a row."""

import csv
import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from satchel.errors import SatchelError
from satchel.tasks.wordpiece import WordPiece
from satchel_models import sentences
from satchel_models.data.feeds import Feeds, Sample
from satchel_models.errors import DataError, ModelError
from satchel_models.pairs import read_pairs
from satchel_models.steps import Spec

Tokenize = Callable[[str], Sequence[int]]

LENGTHS = (16, 64, 256)
"""Tokens of the texts that latency is measured with: a title, a sentence or two, a paragraph."""

Role = Literal["ids", "mask", "types", "positions"]


@dataclass(frozen=True)
class Reading:
    """How a model takes a text.

    Attributes:
        roles: What each input is, by name.
        dtypes: NumPy's name, by input.
        length: Tokens that every text must have; None: any number.
        tokenizer: Ids of a text, with those that frame it.
    """

    roles: dict[str, Role]
    dtypes: dict[str, str]
    length: int | None
    tokenizer: WordPiece

    def feeds(self, ids: Sequence[int]) -> Feeds:
        """A text's ids as the model's inputs, a batch of one."""
        ids = list(ids[: self.length])
        padding = (self.length or len(ids)) - len(ids)
        count = len(ids) + padding
        values: dict[Role, Any] = {
            "ids": [*ids, *[self.tokenizer.padding] * padding],
            "mask": [1] * len(ids) + [0] * padding,
            "types": [0] * count,
            "positions": range(count),
        }
        return {
            name: np.array([values[role]], self.dtypes[name]) for name, role in self.roles.items()
        }

    def timing(self, texts: Sequence[str]) -> dict[str, Feeds]:
        """One input of each of `LENGTHS` that the model takes, out of real texts' tokens."""
        first, *_, last = self.tokenizer("")
        inner = chain.from_iterable(self.tokenizer(text)[1:-1] for text in cycle(texts))
        most = self.length or self.tokenizer.max_tokens
        ids = list(islice(inner, max(LENGTHS)))
        lengths = [most] if self.length else sorted({min(most, length) for length in LENGTHS})
        return {f"{n} tokens": self.feeds([first, *ids[: n - 2], last]) for n in lengths}


def reading(inputs: Sequence[Spec], tokenizer: Path | None, place: Path) -> Reading:
    """How a model takes texts.

    Args:
        inputs: Its inputs.
        tokenizer: Its vocabulary: Satchel's tokenizer.txt or Hugging Face's tokenizer.json.
        place: Of the data, for errors.

    Raises:
        DataError: It takes something else, or its tokenizer is missing or another kind.
    """
    roles = {spec.name: _role(spec) for spec in inputs}
    known = {name: role for name, role in roles.items() if role}
    if list(known.values()).count("ids") != 1 or len(known) != len(roles):
        shown = ", ".join(f"{s.name} {s.dtype} {list(s.shape)}" for s in inputs)
        raise DataError(
            f"{place} holds texts, and the model doesn't take token ids: its inputs are {shown}. "
            "Give its inputs as an .npz, arrays by input name."
        )
    if tokenizer is None:
        raise DataError(
            f"{place} holds texts, and nobody says how this model splits them. Give its "
            "tokenizer.json: --tokenizer FILE."
        )
    sizes = {spec.shape[1] for spec in inputs}
    fixed = next((size for size in sizes if isinstance(size, int)), None)
    return Reading(known, {spec.name: spec.dtype for spec in inputs}, fixed, _tokenizer(tokenizer))


def takes_texts(inputs: Sequence[Spec]) -> bool:
    """Whether a model's inputs look like token ids and what goes with them."""
    return [_role(spec) for spec in inputs].count("ids") == 1


def samples(path: Path, how: Reading) -> tuple[list[Sample], bool]:
    """The rows of a CSV, and whether they are scored pairs.

    Raises:
        DataError: It can't be read, or has other columns.
    """
    columns = _columns(path)
    if columns == 1:
        return [_text(number, text, how) for number, text in enumerate(_rows(path), 1)], False
    if columns == 2:
        raise DataError(
            f"{path} has 2 columns: the score is missing from sentence1,sentence2,score. Or give "
            "texts alone, one column, in quotes where they hold commas."
        )
    try:
        pairs = read_pairs(path)
    except ModelError as error:
        raise DataError(f"{error} Or give texts alone, one column, in quotes.") from error
    return [
        _sample(f"row {number}", [pair.first, pair.second], how, pair.score)
        for number, pair in enumerate(pairs, 1)
    ], True


def texts(path: Path) -> list[str]:
    """The texts of a CSV, in order."""
    if _columns(path) == 1:
        return _rows(path)
    return [text for pair in read_pairs(path) for text in (pair.first, pair.second)]


def _role(spec: Spec) -> Role | None:
    if np.dtype(spec.dtype).kind not in "iu" or len(spec.shape) != 2:
        return None
    name = spec.name.lower()
    found: list[tuple[str, Role]] = [
        ("mask", "mask"), ("type", "types"), ("segment", "types"), ("position", "positions"),
        ("id", "ids"), ("token", "ids"),
    ]  # fmt: skip
    return next((role for part, role in found if part in name), None)


def _tokenizer(path: Path) -> WordPiece:
    try:
        text = path.read_text("utf-8")
        if path.suffix == ".json":
            text = sentences.tokenizer_text(path, _max_tokens(text))
        return WordPiece.parse(text)
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"The tokenizer {path} cannot be read: {error}.") from error
    except (ModelError, SatchelError) as error:
        raise DataError(
            f"The tokenizer {path} is of a kind that Satchel doesn't have: {error} Give the data's "
            "tokens as an .npz instead."
        ) from error


def _max_tokens(text: str) -> int:
    truncation = json.loads(text).get("truncation") or {}
    return min(int(truncation.get("max_length", max(LENGTHS))), 512)


def _columns(path: Path) -> int:
    """Columns of the first row."""
    return len(_read(path)[0])


def _rows(path: Path) -> list[str]:
    rows = _read(path)
    for number, row in enumerate(rows, 1):
        if len(row) != 1:
            raise DataError(
                f"{path}, row {number}: {len(row)} columns, and the first row has one. Put texts "
                "with commas in quotes."
            )
    return [row[0] for row in rows]


def _read(path: Path) -> list[list[str]]:
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            rows = [row for row in csv.reader(lines) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    if not rows:
        raise DataError(f"{path} is empty. Give sentence1,sentence2,score or one text a row.")
    return rows


def _text(number: int, text: str, how: Reading) -> Sample:
    return _sample(f"row {number}", [text], how, None)


def _sample(name: str, parts: Sequence[str], how: Reading, truth: float | None) -> Sample:
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return Sample(name, digest, functools.partial(_made, tuple(parts), how), truth)


def _made(parts: Sequence[str], how: Reading) -> tuple[Feeds, ...]:
    return tuple(how.feeds(how.tokenizer(text)) for text in parts)
