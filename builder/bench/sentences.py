"""Texts of an exact number of tokens, another one in every round."""

from collections.abc import Callable, Sequence
from itertools import cycle, islice

from builder.errors import BuildError

_SENTENCE = (
    "the cat sleeps on a warm roof while rain falls over green hills and old boats wait near "
    "the harbour for people who bring fresh bread from town every day in winter and summer"
)
WORDS = _SENTENCE.split()
"""Each is one token in MiniLM's vocabulary."""

FRAME = 2
"""Tokens that stand before and after every text."""


def of(tokens: int, count: int, tokenizer: Callable[[str], Sequence[int]]) -> list[str]:
    """Return `count` texts that the tokenizer turns into exactly `tokens` tokens, its own included.

    Raises:
        BuildError: It doesn't.
    """
    texts = [
        " ".join(islice(cycle(WORDS), start, start + tokens - FRAME)) for start in range(count)
    ]
    for text in texts:
        if (found := len(tokenizer(text))) != tokens:
            raise BuildError(f"A text of {tokens} tokens was meant, this has {found}: {text}")
    return texts
