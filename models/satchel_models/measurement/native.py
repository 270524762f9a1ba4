"""Answers on this machine's CPU: cheap, so for screening, and for what the browser has no time for.

The engine is the browser's, built for this processor. Its arithmetic is the same but for the order
of sums and, in 8 bits, what an instruction saturates at.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from satchel_models import native
from satchel_models.data import Feeds, Outputs
from satchel_models.recipe import Session
from satchel_models.tools import Progress

TOLD_EVERY = 8
"""Inferences between two reports of progress."""

RESTING = {"session.intra_op.allow_spinning": "0"}
"""Threads that wait spinning would take the processor from those that work, on a busy machine."""


class Native:
    """A model file, loaded.

    Attributes:
        inputs: Names of what it takes: a graph may have lost an input that it never used.

    Raises:
        GraphError: It doesn't load.
    """

    def __init__(self, name: str, file: Path, session: Session) -> None:
        self.name = name
        config = {**session.config, **RESTING}
        calm = Session(session.graph_optimization_level, config)
        self._session: Any = native.loaded(name, file.read_bytes(), calm)
        self.inputs = frozenset(value.name for value in self._session.get_inputs())
        self._outputs = [value.name for value in self._session.get_outputs()]

    def outputs(self, feeds: Sequence[Feeds], progress: Progress) -> tuple[Outputs, ...]:
        """Run it over inputs.

        Raises:
            GraphError: It fails on one.
        """
        return tuple(self._run(feeds, progress))

    def _run(self, feeds: Sequence[Feeds], progress: Progress) -> Iterator[Outputs]:
        for number, one in enumerate(feeds):
            if number % TOLD_EVERY == 0:
                progress(f"{self.name}: {number} of {len(feeds)} inputs", number / len(feeds))
            (found,) = native.answers(self.name, self._session, [one])
            yield dict(zip(self._outputs, found, strict=True))


def finite(answers: Sequence[Outputs]) -> bool:
    """Whether all numbers among answers are finite."""
    return native.finite([list(one.values()) for one in answers])
