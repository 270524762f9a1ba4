"""Step 5: measure what step 3 made, in a real browser, and choose."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from satchel_models.data import Dataset, Outputs
from satchel_models.errors import GraphError, MeasurementError
from satchel_models.measurement import choice, figures
from satchel_models.measurement.choice import Entry
from satchel_models.measurement.inputs import Inputs, contestant
from satchel_models.measurement.laboratory import (
    Contestant,
    Laboratory,
    Measurement,
    Refusal,
    Schedule,
)
from satchel_models.measurement.native import Native, finite
from satchel_models.recipe import Session
from satchel_models.results import BUDGETS, Accuracy, Estimate, Level, Measured
from satchel_models.steps import Candidate, Converted, Quantised, Rejected
from satchel_models.tools import Progress

PASSES = 2
"""Accuracy in the browser may take as long as so many passes of float32 over all of the data, once
the chosen candidate has its figures; what doesn't fit is measured natively, and says so."""

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
        first = self.dataset.part("report").feeds[:1]
        (answer,) = self.original.outputs(first, self._phase("screening", 0, 1))
        self.report = Inputs(self.dataset, "report", answer)
        self.select = Inputs(self.dataset, "select", answer)
        self.notes = [each.note for each in (self.select, self.report) if each.note]

    def screen(self, candidates: Sequence[Candidate]) -> None:
        """See natively which candidates run, and what they lose on the selecting part."""
        told = self._phase("screening", 0, len(candidates) + 1)
        base = self.original.outputs(self.select.feeds, told)
        for number, one in enumerate(candidates, 1):
            told = self._phase("screening", number, len(candidates) + 1)
            try:
                loaded = Native(one.name, one.file, one.session)
                outputs = loaded.outputs(self.select.of(one, loaded.inputs), told)
            except GraphError as error:
                if number == 1:
                    raise
                self.rejected.append(Rejected(one.name, str(error)))
                continue
            if finite(base) and not finite(outputs):
                self.rejected.append(Rejected(one.name, "Its answers are not finite numbers."))
                continue
            self.inputs[one.name] = loaded.inputs
            self.losses[one.name] = self.select.score(outputs, base).loss
            self.running.append(one)

    def measure(self, schedule: Schedule) -> None:
        """Have the browser measure time."""
        contestants = [self._contestant(one) for one in self.running]
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
        answer = self.laboratory.outputs(
            self._contestant(one),
            self.report.of(one, self.inputs[name]),
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
        running = {one.name: one for one in self.running}
        for entry in {entry.name: entry for entry in order}.values():
            if entry.name in self.accuracies or entry.name not in running:
                continue
            if time.perf_counter() + one_run / entry.speedup.value <= end:
                self._account(entry.name, base)
                continue
            one = running[entry.name]
            loaded = Native(one.name, one.file, one.session)
            feeds = self.report.of(one, loaded.inputs)
            accuracy = self.report.score(loaded.outputs(feeds, self._accounting()), base).accuracy
            self.accuracies[one.name] = replace(accuracy, where="native")

    def _contestant(self, one: Candidate) -> Contestant:
        return contestant(one, self.dataset, self.inputs[one.name], self.running[0].size)

    def _reject(self, refusal: Refusal) -> None:
        if refusal.name == self.running[0].name:
            raise MeasurementError(f"{refusal.name} doesn't run in the browser: {refusal.reason}")
        self.rejected.append(Rejected(refusal.name, f"In the browser: {refusal.reason}"))
        self.running = [one for one in self.running if one.name != refusal.name]

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
