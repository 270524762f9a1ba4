"""What step 5 needs of a browser: the protocol between the optimiser and what measures for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from satchel_models.data.feeds import Feeds, Outputs
from satchel_models.recipe import Session
from satchel_models.tools import Progress

THREADS = (1, 2)
"""Of the engine, that are measured."""


class Runtime(NamedTuple):
    """An engine's build: contestants with the same one share a worker.

    Attributes:
        engine: The engine.
        without: Features that it has to do without.
    """

    engine: str
    without: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Contestant:
    """A model file that is to be measured.

    Attributes:
        name: Unique.
        engine: That runs it.
        file: The model.
        session: How the engine loads it.
        feeds: One input of each kind to measure, by the kind's name.
        memory: Estimate of what its session takes in the engine, bytes.
        without: Features of the browser that its engine has to do without: "relaxed-simd".
        threads: Numbers of the engine's threads that it can have.
    """

    name: str
    engine: str
    file: Path
    session: Session
    feeds: Mapping[str, Feeds]
    memory: int = 0
    without: frozenset[str] = frozenset()
    threads: tuple[int, ...] = THREADS

    @property
    def runtime(self) -> Runtime:
        """Which build of the engine it runs in."""
        return Runtime(self.engine, self.without)


@dataclass(frozen=True)
class Schedule:
    """How much is measured.

    In each round every contestant has its turn, in another random order. A turn is a few inferences
    in a row: their processor time has to be told by a clock that ticks every 10 ms.

    Attributes:
        threads: Numbers of the engine's threads, each measured apart.
        rounds: Turns of each contestant, for each kind of input.
        turn_ms: About how long a turn takes.
        least: Inferences of a turn at least …
        most: … and at most.
        warm_up: Inferences of each contestant beforehand, for each kind of input.
        sessions: Sessions that are made of each contestant, at the first number of threads.
        seed: Of the order.
    """

    threads: tuple[int, ...] = THREADS
    rounds: int = 12
    turn_ms: float = 160
    least: int = 2
    most: int = 50
    warm_up: int = 2
    sessions: int = 16
    seed: int = 0


@dataclass(frozen=True)
class Samples:
    """One contestant's measurements at one number of threads, with one kind of input.

    Attributes:
        latency_ms: By round, then by inference.
        cpu_seconds: By round: processor time of one inference, all of the page's threads.
        baseline_ms: The first contestant's, of the same rounds.
    """

    latency_ms: tuple[tuple[float, ...], ...]
    cpu_seconds: tuple[float, ...]
    baseline_ms: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Measurement:
    """All of one contestant's measurements.

    Attributes:
        name: The contestant's.
        samples: By number of threads and kind of input.
        creation_ms: Time to make a session, by round; the engine itself is there.
        baseline_creation_ms: The first contestant's, of the same rounds.
    """

    name: str
    samples: Mapping[tuple[int, str], Samples]
    creation_ms: tuple[float, ...]
    baseline_creation_ms: tuple[float, ...]


@dataclass(frozen=True)
class Refusal:
    """A contestant that doesn't run.

    Attributes:
        name: The contestant's.
        reason: The engine's own words, as a sentence.
    """

    name: str
    reason: str


class Laboratory(Protocol):
    """A browser that measures; whoever opened it closes it.

    Attributes:
        versions: Of the browser and the engines, by name.
        downloads: What a first visit downloads for an engine itself, as it travels: bytes, by the
            engine's name. Engines that it doesn't have are not in it.
    """

    @property
    def versions(self) -> Mapping[str, str]:
        """Of the browser and the engines, by name."""
        ...

    @property
    def downloads(self) -> Mapping[str, int]:
        """What a first visit downloads for an engine itself, bytes as they travel."""
        ...

    def measure(
        self, contestants: Sequence[Contestant], schedule: Schedule, progress: Progress
    ) -> tuple[Measurement | Refusal, ...]:
        """Measure contestants side by side.

        Args:
            contestants: The first one is what the others are compared with; it has every number
                of threads.
            schedule: How much.
            progress: Told at every turn; what it raises ends the measurement.

        Returns:
            One for each contestant, in order.

        Raises:
            MeasurementError: The first one doesn't run, or the browser fails for another reason
                than a contestant.
        """
        ...

    def outputs(
        self,
        contestant: Contestant,
        feeds: Sequence[Feeds],
        progress: Progress,
        *,
        threads: int = 1,
    ) -> tuple[Outputs, ...] | Refusal:
        """Run one contestant over inputs.

        Args:
            contestant: Its own `feeds` don't matter here.
            feeds: Inputs, in order.
            progress: Told after every batch; what it raises ends the run.
            threads: Of the engine.

        Raises:
            MeasurementError: The browser fails for another reason than the contestant.
        """
        ...
