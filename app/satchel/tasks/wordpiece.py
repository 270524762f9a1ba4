"""WordPiece: text to the token ids of a BERT vocabulary, equal to Hugging Face's `tokenizers`.

The data is a text: a line of JSON with the settings, then the vocabulary, one token a line, ids
from 0. `satchel_models.sentences` writes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Self

from satchel.errors import ModelFormatError
from satchel.tasks.bert_text import words

__all__ = ["WordPiece"]

LONGEST_WORD = 100
"""Characters; longer words are unknown, as in BERT's own tokenizer."""

PIECE = 2048
"""Characters of a text that are split into words at a time: a long text ends when it is full."""

REMEMBERED = 20_000
"""Words whose tokens are kept; then all are forgotten, since memory is worth more."""


class WordPiece:
    """A tokenizer.

    Args:
        vocabulary: Ids by token.
        special: Tokens that stand for themselves wherever a text holds them.
        start: The token before a text.
        end: The token behind it.
        padding: The token that fills up.
        unknown: The token for words that the vocabulary cannot spell.
        max_tokens: Ids of the longest text, start and end included.
        longest: Characters of the longest token; None: looked for.

    >>> vocabulary = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "walk": 4, "##ing": 5}
    >>> WordPiece(vocabulary)("Walking home")
    [2, 4, 5, 1, 3]
    """

    def __init__(
        self,
        vocabulary: dict[str, int],
        *,
        special: tuple[str, ...] = (),
        start: str = "[CLS]",
        end: str = "[SEP]",
        padding: str = "[PAD]",
        unknown: str = "[UNK]",
        max_tokens: int = 512,
        longest: int | None = None,
    ) -> None:
        self.max_tokens = max_tokens
        self.padding = vocabulary[padding]
        self._vocabulary = vocabulary
        self._start, self._end = vocabulary[start], vocabulary[end]
        self._unknown = [vocabulary[unknown]]
        self._longest = longest or max(map(len, vocabulary))
        # As words of a text they cannot be mistaken: a word holds no space.
        self._known = {f" {token}": [vocabulary[token]] for token in special}
        self._special = re.compile(
            "|".join(map(re.escape, sorted(special, reverse=True))) or "(?!)"
        )
        self._remembered: dict[str, list[int]] = {}

    @classmethod
    def parse(cls, data: str) -> Self:
        """Read the data of a model.

        Raises:
            ModelFormatError: It is something else.
        """
        head, _, lines = data.partition("\n")
        tokens = lines.rstrip("\n").split("\n")
        try:
            settings = json.loads(head)
            settings["special"] = tuple(settings["special"])
            return cls(dict(zip(tokens, range(len(tokens)), strict=True)), **settings)
        except (ValueError, TypeError, KeyError) as error:
            raise ModelFormatError(
                "The tokenizer's data cannot be understood", why=repr(error)
            ) from error

    def __call__(self, text: str) -> list[int]:
        """The ids of a text, start and end included, at most `max_tokens` of them."""
        room = self.max_tokens - 1
        ids = [self._start]
        remembered = self._remembered
        plain = "[" not in text and len(text) <= PIECE  # nearly all texts
        for word in words(text) if plain else self._words(text):
            found = remembered.get(word)
            ids += self._remember(word) if found is None else found
            if len(ids) >= room:
                del ids[room:]
                break
        ids.append(self._end)
        return ids

    def _words(self, text: str) -> Iterator[str]:
        place = 0
        for found in self._special.finditer(text):
            yield from _words_in_pieces(text[place : found.start()])
            yield f" {found.group()}"
            place = found.end()
        yield from _words_in_pieces(text[place:])

    def _remember(self, word: str) -> list[int]:
        if len(self._remembered) >= REMEMBERED:
            self._remembered.clear()
        ids = self._known.get(word) or self._spelt(word)
        self._remembered[word] = ids
        return ids

    def _spelt(self, word: str) -> list[int]:
        """The fewest-steps-first spelling: the longest token that fits, then on from there."""
        if len(word) > LONGEST_WORD:
            return self._unknown
        ids: list[int] = []
        start, prefix = 0, ""
        while start < len(word):
            end = min(len(word), start + self._longest)
            while (found := self._vocabulary.get(prefix + word[start:end])) is None:
                end -= 1
                if end == start:
                    return self._unknown
            ids.append(found)
            start, prefix = end, "##"
        return ids


def _words_in_pieces(text: str) -> Iterator[str]:
    """The words of a text of any length, cut where a space ends a word anyway."""
    place = 0
    while place < len(text):
        end = text.find(" ", place + PIECE)
        end = len(text) if end < 0 else end
        yield from words(text[place:end])
        place = end
