"""Step 5: measure what step 3 made, in a real browser, and choose."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from satchel_models.data import Dataset, Feeds, Outputs, Part, PartName
from satchel_models.data.feeds import Changed
from satchel_models.errors import GraphError, MeasurementError
from satchel_models.measurement import choice, figures
from satchel_models.measurement.choice import Entry
from satchel_models.measurement.laboratory import (
    Contestant,
    Laboratory,
    Measurement,
    Refusal,
    Schedule,
)
from satchel_models.measurement.native import Native, taken
from satchel_models.recipe import Session
from satchel_models.results import BUDGETS, Accuracy, Estimate, Level, Measured
from satchel_models.steps import Candidate, Converted, Quantised, Rejected
from satchel_models.tools import Progress

PASSES = 2
"""Accuracy in the browser may take as long as so many passes of float32 over all of the data, once
the chosen candidate has its figures; what doesn't fit is measured natively, and says so."""

SESSION_FACTOR = 3
"""What a session takes, over float32's file: the model's bytes, its weights, its activations."""

OUTPUT_BYTES = 500_000_000
"""Of one model's answers, kept while they are scored."""

SHARES = {"screening": (0.0, 0.2), "measuring": (0.2, 0.65), "accuracy": (0.65, 1.0)}
"""Of the step's time, from and to."""


@dataclass(frozen=True)
class Validation:
    """Step 5's result.

    Attributes:
        measured: One for each candidate that runs, in the candidates' order.
        rejected: What doesn't run.
        versions: Of what measured.
        notes: What the developer should know, a sentence each.
    """

    measured: tuple[Measured, ...]
    rejected: tuple[Rejected, ...]
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def validate(
    converted: Converted,
    quantised: Quantised,
    dataset: Dataset,
    level: Level,
    laboratory: Laboratory,
    progress: Progress,
    *,
    schedule: Schedule | None = None,
) -> Validation:
    """Measure candidates and choose one.

    Every candidate is screened natively on the selecting part, and its latency, processor time and
    session creation are measured in the browser. The reporting part's accuracy is the browser's for
    float32 and what may be chosen, and for others as long as time allows.

    Args:
        converted: The original.
        quantised: The candidates, float32 first.
        dataset: What accuracy is measured with.
        level: Of optimisation: its budget of accuracy.
        laboratory: A browser.
        progress: Told what is done, several times a second; what it raises ends the step.
        schedule: How much latency is measured; None: the usual.

    Raises:
        MeasurementError: float32 doesn't run in the browser.
        DataError: The data doesn't fit the model's outputs.
    """
    work = _Work(converted, dataset, level, laboratory, progress)
    work.screen(quantised.candidates)
    work.measure(schedule or Schedule())
    work.choose()
    return work.result(quantised.candidates)


@dataclass
class _Work:
    """What is known so far."""

    converted: Converted
    dataset: Dataset
    level: Level
    laboratory: Laboratory
    progress: Progress
    notes: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    running: list[Candidate] = field(default_factory=list)
    inputs: dict[str, frozenset[str]] = field(default_factory=dict)
    losses: dict[str, Estimate] = field(default_factory=dict)
    found: dict[str, Measurement] = field(default_factory=dict)
    accuracies: dict[str, Accuracy] = field(default_factory=dict)
    chosen: str = ""
    started: bool = False
    shortfalls: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.original = Native("The original", self.converted.file, Session("basic"))
        first = self.original.outputs(self.dataset.part("report").feeds[:1], self.progress)
        each = max(1, sum(value.nbytes for value in first[0].values()))
        self.report = self._fitting("report", each)
        self.select = self._fitting("select", each)

    def screen(self, candidates: Sequence[Candidate]) -> None:
        """See natively which candidates run, and what they lose on the selecting part."""
        part = self.select
        base = self.original.outputs(part.feeds, self._phase("screening", 0, len(candidates) + 1))
        for number, one in enumerate(candidates, 1):
            told = self._phase("screening", number, len(candidates) + 1)
            try:
                loaded = Native(one.name, one.file, one.session)
                self.inputs[one.name] = loaded.inputs
                outputs = loaded.outputs(self._fed(part.feeds, one), told)
            except GraphError as error:
                if number == 1:
                    raise
                self.rejected.append(Rejected(one.name, str(error)))
                continue
            self.losses[one.name] = part.score(outputs, base).loss
            self.running.append(one)

    def measure(self, schedule: Schedule) -> None:
        """Have the browser measure time."""
        memory = SESSION_FACTOR * self.running[0].size
        contestants = [self._contestant(one, memory) for one in self.running]
        told = self._phase("measuring", 0, 1)
        for answer in self.laboratory.measure(contestants, schedule, told):
            if isinstance(answer, Refusal):
                self._reject(answer)
            else:
                self.found[answer.name] = answer

    def choose(self) -> None:
        """Measure accuracy, of what may be chosen first, and choose."""
        budget = BUDGETS[self.level]
        entries = self.entries()
        base = self.original.outputs(self.report.feeds, self._accounting())
        order = choice.ranked(entries, self.level, budget)
        started = time.perf_counter()
        self._account(entries[0].name, base)
        one_run = time.perf_counter() - started
        for entry in order:
            if entry is not entries[0] and not self._account(entry.name, base):
                continue
            short = choice.shortfall(self.accuracies[entry.name], self.level, budget)
            if entry is entries[0] or not short:
                self.chosen = entry.name
                break
            self.shortfalls[entry.name] = short
        inferences = sum(len(part.feeds) for part in self.dataset.parts.values())
        allowed = PASSES * one_run * inferences / len(self.report.feeds)
        self._account_others([*order, *entries], base, one_run, allowed)

    def entries(self) -> list[Entry]:
        """Candidates as the choice sees them."""
        return [
            Entry(
                name=one.name,
                engine=one.engine,
                size=one.size,
                speedup=figures.speedup(self.found[one.name], 1),
                creation=figures.creation(self.found[one.name]),
                creation_ms=figures.longer(self.found[one.name]),
                cpu_seconds=figures.cpu_seconds(self.found[one.name], 1),
                loss=self.losses[one.name],
                smaller_input=one.resolution is not None,
            )
            for one in self.running
        ]

    def result(self, candidates: Sequence[Candidate]) -> Validation:
        """All of it."""
        budget = BUDGETS[self.level]
        entries = {entry.name: entry for entry in self.entries()}
        pareto = choice.front(list(entries.values()))
        why = choice.reasons(
            list(entries.values()), self.chosen, self.shortfalls, self.level, budget
        )
        measured = tuple(
            Measured(
                candidate=one,
                size_reduction=1 - one.size / candidates[0].size,
                speedup=entries[one.name].speedup,
                creation_ms=self.found[one.name].creation_ms,
                creation_speedup=entries[one.name].creation,
                timings=figures.timings(self.found[one.name], one.resolution),
                accuracy=self.accuracies[one.name],
                selection=self.losses[one.name],
                pareto=one.name in pareto,
                chosen=one.name == self.chosen,
                why=why[one.name],
            )
            for one in self.running
        )
        return Validation(
            measured, tuple(self.rejected), dict(self.laboratory.versions), tuple(self.notes)
        )

    def _account(self, name: str, base: Sequence[Outputs]) -> bool:
        """Measure accuracy in the browser; say whether the candidate runs there."""
        one = next(each for each in self.running if each.name == name)
        feeds = self._fed(self.report.feeds, one)
        answer = self.laboratory.outputs(
            self._contestant(one),
            feeds,
            self._accounting(),
            threads=figures.quicker(self.found[self.running[0].name]),
        )
        if isinstance(answer, Refusal):
            self._reject(answer)
            return False
        self.accuracies[name] = self.report.score(answer, base).accuracy
        return True

    def _account_others(
        self, order: Sequence[Entry], base: Sequence[Outputs], one_run: float, allowed: float
    ) -> None:
        """Measure the others' accuracy, in the browser as long as the time allows."""
        end = time.perf_counter() + allowed
        left = list(dict.fromkeys(e.name for e in order if e.name not in self.accuracies))
        speeds = {entry.name: entry.speedup.value for entry in order}
        for name in left:
            if name not in self.found:
                continue
            if time.perf_counter() + one_run / speeds[name] <= end:
                self._account(name, base)
                continue
            one = next(each for each in self.running if each.name == name)
            loaded = Native(name, one.file, one.session)
            outputs = loaded.outputs(self._fed(self.report.feeds, one), self._accounting())
            accuracy = self.report.score(outputs, base).accuracy
            self.accuracies[name] = replace(accuracy, where="native")

    def _fed(self, feeds: Sequence[Feeds], one: Candidate) -> Sequence[Feeds]:
        """Inputs as a candidate takes them."""

        def change(each: Feeds) -> Feeds:
            each = taken(each, self.inputs[one.name])
            return self.dataset.resize(each, one.resolution) if one.resolution else each

        return Changed(feeds, change)

    def _contestant(self, one: Candidate, memory: int = 0) -> Contestant:
        timing = self._fed(list(self.dataset.timing.values()), one)
        feeds = dict(zip(self.dataset.timing, timing, strict=True))
        return Contestant(one.name, one.engine, one.file, one.session, feeds, memory)

    def _reject(self, refusal: Refusal) -> None:
        if refusal.name == self.running[0].name:
            raise MeasurementError(f"{refusal.name} doesn't run in the browser: {refusal.reason}")
        self.rejected.append(Rejected(refusal.name, f"In the browser: {refusal.reason}"))
        self.running = [one for one in self.running if one.name != refusal.name]

    def _fitting(self, name: PartName, each: int) -> Part:
        """A part, or as much of it as its answers' bytes allow."""
        part = self.dataset.part(name)
        most = max(1, OUTPUT_BYTES // (each * part.each))
        if most >= len(part.samples):
            return part
        self.notes.append(f"Its answers are large: only {most} samples {name}.")
        return replace(part, samples=part.samples[:most])

    def _accounting(self) -> Progress:
        """Progress of the next model's accuracy; the original's comes first of all."""
        done = len(self.accuracies) + bool(self.started)
        self.started = True
        return self._phase("accuracy", done, len(self.running) + 1)

    def _phase(self, name: str, number: int, count: int) -> Progress:
        """Progress of one of so many equal pieces of a phase."""
        start, end = SHARES[name]

        def told(words: str, share: float | None) -> None:
            inside = (number + (share or 0)) / count
            self.progress(words, start + (end - start) * inside)

        return told
