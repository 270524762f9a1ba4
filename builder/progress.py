"""Saying what is being done: sentences, and a bar for downloads. All of it goes to stderr."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console(stderr=True, highlight=False, soft_wrap=True)


def say(sentence: str) -> None:
    """Tell the person one thing that is happening now."""
    console.print(sentence, markup=False)


@contextmanager
def doing(sentence: str) -> Iterator[None]:
    """Show a sentence for as long as the work takes, with a spinner where there is a terminal."""
    if console.is_terminal:
        with console.status(sentence):
            yield
    else:
        say(sentence)
        yield
