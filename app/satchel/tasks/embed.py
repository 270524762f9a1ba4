"""Embed: texts to vectors that lie close together where texts mean the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from satchel.errors import InputTypeError, ModelFormatError
from satchel.platform import Platform
from satchel.runtime import EdgeRuntime
from satchel.tasks.opening import opened
from satchel.tasks.wordpiece import WordPiece

__all__ = ["Embed"]

DEFAULT_MODEL = "minilm-l6"

BATCH_TOKENS = 128
"""Tokens of a batch, padding included. Measured in Chromium with MiniLM-L6 on one thread: eight
texts of twelve tokens together take two thirds of the time that they take one by one; from 128
tokens on, more at a time gain nothing."""

SENTENCE = 16
"""Tokens of a usual sentence: twelve words and their ends."""

WINDOW = 512
"""Texts whose lengths are known at a time: of so many, those of one length go together."""

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class Embed:
    """Embeds texts with an installed sentence encoder.

    The model takes ``input_ids`` and, where it wants them, ``attention_mask`` and
    ``token_type_ids``: int64 [batch, sequence]; and gives one float32 [batch, width] of length 1.

    Vectors of one text differ a little with the texts beside it where a model rounds what it
    computes (MiniLM's int8 does: cosine 0.99): compare with a margin.

    Attributes:
        runtime: The model.
        tokenizer: Makes its inputs.
        width: Of its vectors.
        reason: Why no better variant of the model is used on this device: a sentence for people;
            empty: there is none.

    Example::

        embed = await satchel.tasks.Embed.open()
        vectors = await embed(["A man plays a guitar.", "Someone makes music."])
        likeness = vectors[0] @ vectors[1]
    """

    unit = "text"
    """What one answer is about."""

    def __init__(
        self,
        runtime: EdgeRuntime,
        tokenizer: WordPiece,
        reason: str = "",
        platform: Platform | None = None,
    ) -> None:
        self.runtime = runtime
        self._platform = platform
        self.reason = reason
        self.tokenizer = tokenizer
        self.width = _checked(runtime)
        self._extra = tuple(spec.name for spec in runtime.inputs if spec.name != INPUTS[0])

    @classmethod
    async def open(
        cls,
        model: str = DEFAULT_MODEL,
        *,
        threads: int | None = None,
        variant: str | None = None,
        platform: Platform | None = None,
    ) -> Self:
        """Open an installed model and load it.

        Raises:
            ModelNotFoundError: It is not installed.
            ModelFormatError: It is no sentence encoder.
        """
        async with opened(
            model, "tokenizer", threads=threads, variant=variant, platform=platform
        ) as opening:
            tokenizer = WordPiece.parse(opening.content.decode())
            return cls(opening.runtime, tokenizer, opening.reason, platform)

    async def __call__(self, texts: str | Iterable[str]) -> NDArray[np.float32]:
        """Embed one text or many.

        Args:
            texts: A text, or texts in any order. What is longer than the model takes (256 tokens
                with MiniLM, about 190 English words) is cut; an empty text is a text too.

        Returns:
            float32 [width] for one text, [n, width] for n of them, in their order; length 1, so
            that a product of two is the cosine of their angle, −1 to 1.

        Raises:
            InputTypeError: Something among them is no text.
        """
        if isinstance(texts, str):
            vector: NDArray[np.float32] = (await self._run([self.tokenizer(texts)]))[0]
            return vector
        given = _texts(texts)
        if len(given) == 1:  # what follows would only cost time
            return await self._run([self.tokenizer(given[0])])
        result = np.empty((len(given), self.width), np.float32)
        for start in range(0, len(given), WINDOW):
            tokens = [self.tokenizer(text) for text in given[start : start + WINDOW]]
            for batch in batches([len(ids) for ids in tokens]):
                vectors = await self._run([tokens[k] for k in batch])
                result[[start + k for k in batch]] = vectors
        return result

    @property
    def model(self) -> str:
        """Its model's id."""
        return self.runtime.name.rpartition(" ")[0]

    async def sibling(self, variant: str | None, threads: int) -> Self:
        """The same task in another variant that is here, on so many threads; opened and loaded.

        Raises:
            ModelNotFoundError: Its model is not here in that variant.
        """
        return await self.open(
            self.model, threads=threads, variant=variant, platform=self._platform
        )

    def sample(self) -> dict[str, NDArray[np.int64]]:
        """What the model takes for a sentence of usual length: to find out how long it runs."""
        ids, mask = self._padded([[self.tokenizer.padding] * SENTENCE])
        return self._feeds(ids, mask)

    async def close(self) -> None:
        """Give the memory back."""
        await self.runtime.close()

    async def _run(self, texts: Sequence[list[int]]) -> NDArray[np.float32]:
        outputs = await self.runtime.run(self._feeds(*self._padded(texts)))
        vectors: NDArray[np.float32] = next(iter(outputs.values()))
        return vectors

    def _feeds(
        self, ids: NDArray[np.int64], mask: NDArray[np.int64]
    ) -> dict[str, NDArray[np.int64]]:
        feeds = {INPUTS[0]: ids}
        for name in self._extra:
            feeds[name] = mask if name == INPUTS[1] else np.zeros_like(ids)
        return feeds

    def _padded(self, texts: Sequence[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if len(texts) == 1:
            ids = np.array(texts, np.int64)
            return ids, np.ones_like(ids)
        lengths = [len(text) for text in texts]
        ids = np.full((len(texts), max(lengths)), self.tokenizer.padding, np.int64)
        for row, text in zip(ids, texts, strict=True):
            row[: len(text)] = text
        mask = np.arange(ids.shape[1]) < np.array(lengths)[:, None]
        return ids, mask.astype(np.int64)


def batches(lengths: Sequence[int], tokens: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Put texts of similar length together.

    Args:
        lengths: Tokens of each text.
        tokens: What a batch may hold, padding included; a longer text goes alone.

    Yields:
        Places of texts, every text once, the shortest first.

    >>> list(batches([5, 90, 6, 60, 60, 4]))
    [[5, 0, 2], [3, 4], [1]]
    """
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[place] > tokens:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _texts(texts: object) -> list[str]:
    if isinstance(texts, bytes | bytearray | memoryview | dict) or not isinstance(texts, Iterable):
        raise InputTypeError(
            f"Embed takes texts, not {_kind(texts)}", todo="Pass a str, or a list of them"
        )
    given = list(texts)
    for place, text in enumerate(given):
        if not isinstance(text, str):
            raise InputTypeError(
                f"Embed takes texts, but number {place} (from 0) is {_kind(text)}",
                todo="Pass a str, or a list of them",
            )
    return given


def _kind(value: Any) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"


def _checked(runtime: EdgeRuntime) -> int:
    """The width of the model's vectors."""
    names = [spec.name for spec in runtime.inputs]
    shapes = [spec.shape for spec in runtime.outputs]
    width = shapes[0][-1] if len(shapes) == 1 and len(shapes[0]) == 2 else None
    if INPUTS[0] not in names or not set(names) <= set(INPUTS) or not isinstance(width, int):
        takes = ", ".join(names)
        gives = ", ".join(spec.describe() for spec in runtime.outputs)
        raise ModelFormatError(
            f"'{runtime.name}' is no sentence encoder: it takes {takes} and gives {gives}",
            todo="It must take input_ids and give one float32 [batch, width]",
        )
    return width
