"""Step 5: measure what step 3 made, in a real browser, and choose."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from satchel_models import engines
from satchel_models.data import Dataset
from satchel_models.errors import GraphError, MeasurementError
from satchel_models.measurement import choice, figures, needs, outcome, reasons
from satchel_models.measurement.accounts import Accounts
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
from satchel_models.measurement.outcome import Findings, Need, Validation
from satchel_models.recipe import Session
from satchel_models.results import BUDGETS, Estimate, Level
from satchel_models.steps import Candidate, Converted, Quantised, Rejected
from satchel_models.tools import Progress

PASSES = 1
"""Accuracy in the browser may take as long as so many passes of float32 over all of the data, once
the chosen candidates have their figures; what doesn't fit is measured natively, and says so: a
whole run is to cost no more than twelve."""

SHARES = {
    "screening": (0.0, 0.2),
    "measuring": (0.2, 0.65),
    "accuracy": (0.65, 0.98),
    "features": (0.98, 1.0),
}
"""Of the step's time, from and to."""


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
    """Measure candidates and choose one for each engine, and the best of these.

    Every candidate is screened natively on the selecting part, and its latency, processor time and
    session creation are measured in the browser. The reporting part's accuracy is the browser's for
    float32 and what may be chosen, and for others as long as time allows.

    Args:
        converted: The original.
        quantised: The candidates, float32 on onnxruntime first.
        dataset: What accuracy is measured with.
        level: Of optimisation: its budget of accuracy.
        laboratory: A browser.
        progress: Told what is done, several times a second; what it raises ends the step.
        schedule: How much latency is measured; None: the usual.

    Raises:
        MeasurementError: float32 doesn't run in the browser.
        DataError: The data doesn't fit the model's outputs.
    """
    work = _Work(converted, dataset, level, laboratory, progress, schedule or Schedule())
    work.screen(quantised.candidates)
    work.measure()
    work.choose()
    work.look_for_needs()
    return work.result(quantised.candidates)


@dataclass
class _Work:
    """What is known so far."""

    converted: Converted
    dataset: Dataset
    level: Level
    laboratory: Laboratory
    progress: Progress
    schedule: Schedule
    rejected: list[Rejected] = field(default_factory=list)
    running: list[Candidate] = field(default_factory=list)
    inputs: dict[str, frozenset[str]] = field(default_factory=dict)
    losses: dict[str, Estimate] = field(default_factory=dict)
    found: dict[str, Measurement] = field(default_factory=dict)
    accounts: Accounts = field(init=False)
    chosen: dict[str, str] = field(default_factory=dict)
    shortfalls: dict[str, str] = field(default_factory=dict)
    needs: dict[str, Need] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.original = Native("The original", self.converted.file, Session("basic"), "onnxruntime")
        first = self.dataset.part("report").feeds[:1]
        (answer,) = self.original.outputs(first, self._phase("screening", 0, 1))
        self.report = Inputs(self.dataset, "report", answer)
        self.select = Inputs(self.dataset, "select", answer)
        self.notes = [each.note for each in (self.select, self.report) if each.note]

    @property
    def budget(self) -> float:
        """Points that accuracy may lose."""
        return BUDGETS[self.level]

    @property
    def findings(self) -> Findings:
        """What was measured of the candidates that run."""
        return Findings(self.running, self.found, self.losses, self.laboratory.downloads)

    def screen(self, candidates: Sequence[Candidate]) -> None:
        """See natively which candidates run, and what they lose on the selecting part."""
        told = self._phase("screening", 0, len(candidates) + 1)
        base = self.original.outputs(self.select.feeds, told)
        for number, one in enumerate(candidates, 1):
            told = self._phase("screening", number, len(candidates) + 1)
            if one.engine not in self.laboratory.downloads:
                reason = f"No browser here has the engine {engines.title(one.engine)}."
                self.rejected.append(Rejected(one.name, reason))
                continue
            try:
                loaded = Native.of(one)
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

    def measure(self) -> None:
        """Have the browser measure time."""
        contestants = [self._contestant(one) for one in self.running]
        told = self._phase("measuring", 0, 1)
        for answer in self.laboratory.measure(contestants, self.schedule, told):
            if isinstance(answer, Refusal):
                self._reject(answer)
            else:
                self.found[answer.name] = answer

    def choose(self) -> None:
        """Measure accuracy, of what may be chosen first, and choose for each engine."""
        entries = self.findings.entries()
        base = self.original.outputs(self.report.feeds, self._accounting(0))
        threads = figures.quicker(self.found[entries[0].name])
        self.accounts = Accounts(
            self.report,
            base,
            self.laboratory,
            self._contestant,
            threads,
            lambda: self._accounting(len(self.accounts.found) + 1),
        )
        started = time.perf_counter()
        self._account(entries[0].name)
        one_run = time.perf_counter() - started
        order: list[Entry] = []
        for engine, of in choice.by_engine(entries).items():
            best = choice.ranked(of, entries[0].name, self.level, self.budget)
            self._take(engine, best)
            order += best
        inferences = sum(len(part.feeds) for part in self.dataset.parts.values())
        allowed = PASSES * one_run * inferences / len(self.report.feeds)
        speeds = {entry.name: entry.speedup.value for entry in entries}
        running = {one.name: one for one in self.running}
        names = dict.fromkeys(entry.name for entry in [*order, *entries])
        left = [running[name] for name in names if name in running]
        for refusal in self.accounts.others(
            left, self.inputs, lambda one: one_run / speeds[one.name], allowed
        ):
            self._reject(refusal)

    def look_for_needs(self) -> None:
        """See whether what is chosen for LiteRT is worth while without relaxed SIMD, too."""
        if "litert" not in self.chosen:
            return
        running = {one.name: one for one in self.running}
        other, name = running[self.chosen["onnxruntime"]], self.chosen["litert"]
        plain = replace(
            self._contestant(running[name]),
            without=frozenset({needs.RELAXED_SIMD}),
            threads=(1,),
        )
        _, answer = self.laboratory.measure(
            [self._contestant(other), plain],
            replace(self.schedule, threads=(1,), sessions=0),
            self._phase("features", 0, 1),
        )
        if isinstance(answer, Refusal):
            why = f"Needs relaxed SIMD: without it, it doesn't run: {answer.reason}"
            self.needs[name] = ((needs.RELAXED_SIMD,), why)
            return
        gain = figures.threads_gain(self.found[other.name])
        self.needs[name] = needs.of(figures.speedup(answer, 1), gain, other.name)

    def result(self, candidates: Sequence[Candidate]) -> Validation:
        """All of it."""
        entries = self.findings.entries()
        best = [entry for entry in entries if entry.name in self.chosen.values()]
        made = reasons.Decision(
            entries,
            self.chosen,
            choice.across(best)[0].name,
            self.shortfalls,
            self.level,
            self.budget,
        )
        return Validation(
            outcome.measured(
                self.findings, self.accounts.found, made, self.needs, candidates[0].size
            ),
            tuple(self.rejected),
            outcome.engines(self.findings, made),
            dict(self.laboratory.versions),
            tuple(self.notes),
        )

    def _take(self, engine: str, best: Sequence[Entry]) -> None:
        """Choose an engine's best candidate that keeps its promise on the reporting part."""
        baseline = self.running[0].name
        for entry in best:
            if entry.name != baseline and not self._account(entry.name):
                continue
            accuracy = self.accounts.found[entry.name]
            short = choice.shortfall(accuracy, self.level, self.budget)
            if entry.name == baseline or not short:
                self.chosen[engine] = entry.name
                return
            self.shortfalls[entry.name] = short

    def _account(self, name: str) -> bool:
        """Measure accuracy in the browser; say whether the candidate runs there."""
        one = next(each for each in self.running if each.name == name)
        refusal = self.accounts.in_browser(one, self.inputs[name])
        if refusal:
            self._reject(refusal)
        return refusal is None

    def _contestant(self, one: Candidate) -> Contestant:
        return contestant(one, self.dataset, self.inputs[one.name], self.running[0].size)

    def _reject(self, refusal: Refusal) -> None:
        if refusal.name == self.running[0].name:
            raise MeasurementError(f"{refusal.name} doesn't run in the browser: {refusal.reason}")
        self.rejected.append(Rejected(refusal.name, f"In the browser: {refusal.reason}"))
        self.running = [one for one in self.running if one.name != refusal.name]

    def _accounting(self, done: int) -> Progress:
        """Progress of the next model's accuracy; the original's comes first of all."""
        return self._phase("accuracy", done, len(self.running) + 1)

    def _phase(self, name: str, number: int, count: int) -> Progress:
        """Progress of one of so many equal pieces of a phase."""
        start, end = SHARES[name]

        def told(words: str, share: float | None) -> None:
            inside = (number + (share or 0)) / count
            self.progress(words, start + (end - start) * inside)

        return told
