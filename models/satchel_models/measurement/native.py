"""Answers on this machine's CPU: cheap, so for screening, and for what the browser has no time for.

The engine is the browser's, built for this processor. Its arithmetic is the same but for the order
of sums and, in 8 bits, what an instruction saturates at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from satchel_models import native, tflite
from satchel_models.data import Feeds, Outputs
from satchel_models.recipe import Session
from satchel_models.steps import Candidate
from satchel_models.tools import Progress

TOLD_EVERY = 8
"""Inferences between two reports of progress."""

RESTING = {"session.intra_op.allow_spinning": "0"}
"""Threads that wait spinning would take the processor from those that work, on a busy machine."""

LITERT_THREADS = 2


class _Loaded(Protocol):
    """A model in an engine."""

    @property
    def names(self) -> frozenset[str]:
        """Of its inputs."""

    def run(self, feeds: Feeds) -> Outputs:
        """Run it on one input."""


class Native:
    """A model file, loaded.

    Attributes:
        inputs: Names of what it takes: a graph may have lost an input that it never used.

    Raises:
        GraphError: It doesn't load.
    """

    def __init__(self, name: str, file: Path, session: Session, engine: str) -> None:
        self.name = name
        self._model = _ENGINES[engine](name, file.read_bytes(), session)
        self.inputs = self._model.names

    @classmethod
    def of(cls, one: Candidate) -> Native:
        """A candidate, loaded."""
        return cls(one.name, one.file, one.session, one.engine)

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
            yield self._model.run(one)


class _OnnxRuntime:
    def __init__(self, name: str, content: bytes, session: Session) -> None:
        calm = Session(session.graph_optimization_level, {**session.config, **RESTING})
        self._name = name
        self._session: Any = native.loaded(name, content, calm)
        self._outputs = [value.name for value in self._session.get_outputs()]
        self.names = frozenset(value.name for value in self._session.get_inputs())

    def run(self, feeds: Feeds) -> Outputs:
        (found,) = native.answers(self._name, self._session, [feeds])
        return dict(zip(self._outputs, found, strict=True))


class _LiteRt:
    def __init__(self, name: str, content: bytes, session: Session) -> None:
        del session  # it has none
        self._model = tflite.Model(name, content, threads=LITERT_THREADS)
        self.names = frozenset(spec.name for spec in self._model.inputs)

    def run(self, feeds: Feeds) -> Outputs:
        return self._model.run(feeds)


_ENGINES: Mapping[str, Callable[[str, bytes, Session], _Loaded]] = {
    "onnxruntime": _OnnxRuntime,
    "litert": _LiteRt,
}


def finite(answers: Sequence[Outputs]) -> bool:
    """Whether all numbers among answers are finite."""
    return native.finite([list(one.values()) for one in answers])
