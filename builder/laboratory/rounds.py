"""Contestants side by side: in each round each has its turn, in another random order."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from builder.laboratory import turns
from builder.laboratory.refusal import Refused
from satchel_models.errors import MeasurementError
from satchel_models.measurement import Contestant, Measurement, Refusal, Samples, Schedule
from satchel_models.tools import Progress

if TYPE_CHECKING:
    from builder.laboratory.chromium import Chromium

PAUSE_SECONDS = 0.02
"""After a turn on several threads: they go on spinning for a while, which is part of its cost."""

Place = tuple[int, str]
"""A number of threads and a kind of input."""

Turn = tuple[str, str]
"""A contestant and a kind of input, by name."""


@dataclass
class _Found:
    """What was measured of one contestant, and of the first one beside it."""

    samples: dict[Place, Samples] = field(default_factory=dict)
    creation: tuple[float, ...] = ()
    baseline_creation: tuple[float, ...] = ()


@dataclass
class _Raw:
    """One group's measurements at one number of threads.

    Attributes:
        latency: By contestant and kind of input: by round.
        cpu: Likewise.
        creation: By contestant: by round; empty where it wasn't measured.
    """

    latency: dict[Turn, list[tuple[float, ...]]] = field(default_factory=lambda: defaultdict(list))
    cpu: dict[Turn, list[float]] = field(default_factory=lambda: defaultdict(list))
    creation: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def measured(
    browser: Chromium, contestants: Sequence[Contestant], schedule: Schedule, progress: Progress
) -> tuple[Measurement | Refusal, ...]:
    """See `satchel_models.measurement.Laboratory.measure`."""
    run = _Run(browser, schedule, progress, turns.count(contestants, schedule))
    first = contestants[0]
    found = {contestant.name: _Found() for contestant in contestants}
    for threads in schedule.threads:
        running = [
            one for one in contestants if one.name not in run.refused and threads in one.threads
        ]
        for group in turns.groups(running):
            raw = run.group(group, threads)
            for contestant in group:
                if contestant.name not in run.refused:
                    _keep(found[contestant.name], raw, first, contestant, threads)
    return tuple(
        Refusal(one.name, run.refused[one.name])
        if one.name in run.refused
        else Measurement(
            one.name,
            found[one.name].samples,
            found[one.name].creation,
            found[one.name].baseline_creation,
        )
        for one in contestants
    )


def _keep(
    found: _Found, raw: _Raw, first: Contestant, contestant: Contestant, threads: int
) -> None:
    for kind in contestant.feeds:
        mine, base = (contestant.name, kind), (first.name, kind)
        found.samples[threads, kind] = Samples(
            tuple(raw.latency[mine]), tuple(raw.cpu[mine]), tuple(raw.latency[base])
        )
    if raw.creation:
        found.creation = tuple(raw.creation[contestant.name])
        found.baseline_creation = tuple(raw.creation[first.name])


class _BrokenError(Exception):
    """The engine's worker can't be trusted any more; who broke it is refused."""


class _Run:
    """One call of `measured`.

    Attributes:
        refused: Why a contestant doesn't run, by name.
    """

    def __init__(
        self, browser: Chromium, schedule: Schedule, progress: Progress, turns_in_all: int
    ) -> None:
        self.refused: dict[str, str] = {}
        self._browser = browser
        self._schedule = schedule
        self._progress = progress
        self._in_all = turns_in_all
        self._done = 0

    def group(self, group: Sequence[Contestant], threads: int) -> _Raw:
        """Measure a group; who breaks the engine is left out, and the others start again."""
        while True:
            members = self._running(group)
            runtimes = dict.fromkeys(one.runtime for one in members)
            done = self._done
            try:
                for runtime in runtimes:
                    self._browser.start(runtime, threads)
                return self._group(members, threads)
            except _BrokenError:
                self._done = done
            finally:
                for runtime in runtimes:
                    self._browser.end(runtime)

    def _group(self, members: list[Contestant], threads: int) -> _Raw:
        raw = _Raw()
        first = members[0]
        for one in members:
            self._tell(f"{one.name}: loading")
            with self._trying(one, first):
                self._browser.load(one)
        if threads == self._schedule.threads[0]:
            self._create(raw, self._running(members))
        lengths: dict[Turn, int] = {}
        finite: bool | None = None
        for one in self._running(members):
            with self._trying(one, first):
                self._browser.create(one, keep=True)
                finite = self._warm(one, lengths, finite=finite)
        self._rounds(raw, self._running(members), threads, lengths)
        return raw

    def _create(self, raw: _Raw, members: Sequence[Contestant]) -> None:
        """Make sessions in turn, and none of them is kept; the first round is a warm-up."""
        named = {one.name: one for one in members}
        schedule = self._schedule
        orders = turns.orders(list(named), schedule.sessions + 1, schedule.seed)
        for number, order in enumerate(orders):
            for name in order:
                if name in self.refused:
                    continue
                self._tell(f"{name}: making sessions", turns_done=1 if number else 0)
                with self._trying(named[name], members[0]):
                    took = self._browser.create(named[name], keep=False)
                    if number:
                        raw.creation[name].append(took)

    def _warm(
        self, one: Contestant, lengths: dict[Turn, int], *, finite: bool | None
    ) -> bool | None:
        """Run a session for the first times: see what it answers, and how long its turns may be.

        Args:
            one: The contestant.
            lengths: Inferences in a turn, that are found out here.
            finite: Whether its answers have to be; None: it decides that for the others.

        Returns:
            Whether those after it have to be, too.
        """
        seen = []
        for kind, feeds in one.feeds.items():
            self._tell(f"{one.name}: warming up")
            (answer,) = self._browser.answer(one, [feeds])
            wrong = [n for n, v in answer.items() if v.dtype.kind == "f" and not _finite(v)]
            if wrong and finite:
                raise Refused(
                    f"Its output {wrong[0]} is not finite in the browser, on {kind}.", fatal=False
                )
            seen.append(not wrong)
            times = self._browser.turn(one, kind, self._schedule.warm_up)
            lengths[one.name, kind] = turns.length(min(times), self._schedule)
        return all(seen) if finite is None else finite

    def _rounds(
        self, raw: _Raw, members: Sequence[Contestant], threads: int, lengths: dict[Turn, int]
    ) -> None:
        named = {(one.name, kind): one for one in members for kind in one.feeds}
        rounds = self._schedule.rounds
        pause = PAUSE_SECONDS if threads > 1 else 0
        # Another order than that of the other numbers of threads.
        drawn = turns.orders(list(named), rounds, self._schedule.seed + threads)
        for number, order in enumerate(drawn, 1):
            for turn in order:
                name, kind = turn
                if name in self.refused:
                    continue
                counted = f"{threads} {'thread' if threads == 1 else 'threads'}"
                self._tell(f"{name}: {kind}, {counted}, round {number} of {rounds}", turns_done=1)
                with self._trying(named[turn], members[0]):
                    before = self._browser.cpu_seconds()
                    times = self._browser.turn(named[turn], kind, lengths[turn])
                    time.sleep(pause)
                    used = self._browser.cpu_seconds() - before
                    raw.latency[turn].append(times)
                    raw.cpu[turn].append(used / len(times))

    @contextmanager
    def _trying(self, one: Contestant, first: Contestant) -> Iterator[None]:
        """Take note of who is refused.

        Raises:
            _BrokenError: The engine's worker has to be started again.
            MeasurementError: It is the one that the others are compared with.
        """
        try:
            yield
        except Refused as refused:
            if one.name == first.name:
                raise MeasurementError(
                    f"{one.name}, which everything is compared with, doesn't run in the browser: "
                    f"{refused.reason}"
                ) from refused
            self.refused[one.name] = refused.reason
            if refused.fatal:
                raise _BrokenError from refused

    def _running(self, members: Sequence[Contestant]) -> list[Contestant]:
        return [one for one in members if one.name not in self.refused]

    def _tell(self, words: str, *, turns_done: int = 0) -> None:
        self._progress(words, min(1.0, self._done / self._in_all))
        self._done += turns_done


def _finite(values: NDArray[Any]) -> bool:
    return bool(np.isfinite(values).all())
