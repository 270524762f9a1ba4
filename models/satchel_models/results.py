"""What an optimisation finds out in its fifth step, and what comes of it in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from satchel_models.steps import (
    Candidate,
    Compiled,
    Converted,
    Graph,
    Pass,
    Quantised,
    Rejected,
    Sensitivity,
    Spec,
)

__all__ = [
    "BUDGETS",
    "STEPS",
    "Accuracy",
    "Candidate",
    "Compiled",
    "Converted",
    "Engine",
    "Estimate",
    "Graph",
    "Lead",
    "Level",
    "Measured",
    "OptimizationReport",
    "Pass",
    "Quantised",
    "Rejected",
    "Sensitivity",
    "Spec",
    "Timing",
]

Level = Literal["fast", "balanced", "aggressive"]

BUDGETS: Mapping[Level, float] = {"fast": 0.1, "balanced": 0.5, "aggressive": 1.0}
"""What accuracy a level may cost, in percentage points."""

STEPS = (
    "onnx_conversion",
    "graph_optimization",
    "quantization",
    "platform_compilation",
    "validation",
)


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Timing:
    """What one candidate needs in a browser, at one number of threads and one kind of input.

    Attributes:
        threads: Of the engine.
        feed: Which input: "224×224", "64 tokens", …
        latency_ms: One inference: each sample.
        cpu_seconds: Process CPU time of one inference: a sample for each block of inferences.
        speedup: float32's latency over this one's, from interleaved samples.
    """

    threads: int
    feed: str
    latency_ms: Sequence[float]
    cpu_seconds: Sequence[float]
    speedup: Estimate


@dataclass(frozen=True)
class Accuracy:
    """How good a candidate's answers are, on data that neither calibrated nor selected it.

    Attributes:
        metric: "top1", "spearman", … ; "agreement" or "cosine" where nothing is labelled.
        value: The candidate's, a fraction of 1.
        original: The original's, a fraction of 1.
        delta: Their difference in percentage points, negative is worse; None: it can't be told.
        interval: The delta's 95 % interval, paired; None: it can't be told.
        why: Why the delta can't be told; "" where it can.
        cosine: Least cosine of an output with the original's.
        max_error: Largest absolute difference of an output from the original's.
        agreement: Share of samples with the original's largest output; None: no such kind.
        count: Samples.
        more: More metrics, by name ("top5", "top5_original", …), fractions of 1.
        where: Where it gave its answers: in the browser, or natively, by the engine on this
            machine's processor.
    """

    metric: str
    value: float
    original: float
    delta: float | None
    interval: tuple[float, float] | None
    why: str
    cosine: float
    max_error: float
    agreement: float | None
    count: int
    more: Mapping[str, float] = field(default_factory=dict)
    where: Literal["browser", "native"] = "browser"


@dataclass(frozen=True)
class Measured:
    """Step 5: one candidate, measured.

    Attributes:
        candidate: What was measured.
        size_reduction: Fraction of the original's bytes that it saves.
        speed: Over float32 at one thread, geometric mean over the kinds of input.
        creation_ms: Time to make a session, each sample.
        creation_speedup: float32's time to make a session over this one's.
        timings: Per threads and kind of input.
        accuracy: Against the original, on the reporting part of the data.
        selection: What selected it: mean loss in points on the selecting part, with its interval.
        pareto: Whether nothing else is at least as good in every respect and better in one; its
            engine's download counts.
        chosen: Whether it is the one, for its engine.
        why: Why it is chosen, or why not: a sentence.
        engine_bytes: What a first visit downloads for its engine, beside the model.
        needs: Features that a browser must have for it to be worth while ("relaxed-simd"), as far
            as that was measured: for what is chosen.
        needs_why: How that was found out, a sentence; "" where it wasn't.
    """

    candidate: Candidate
    size_reduction: float
    speed: Estimate
    creation_ms: Sequence[float]
    creation_speedup: Estimate
    timings: tuple[Timing, ...]
    accuracy: Accuracy
    selection: Estimate
    pareto: bool
    chosen: bool
    why: str
    engine_bytes: int = 0
    needs: tuple[str, ...] = ()
    needs_why: str = ""

    @property
    def name(self) -> str:
        """The candidate's."""
        return self.candidate.name

    @property
    def engine(self) -> str:
        """That runs it."""
        return self.candidate.engine

    @property
    def speedup(self) -> float:
        """Over float32 at one thread."""
        return self.speed.value

    @property
    def accuracy_delta(self) -> float | None:
        """Percentage points, negative is worse; None: it can't be told."""
        return self.accuracy.delta

    @property
    def accuracy_interval(self) -> tuple[float, float] | None:
        """The delta's 95 % interval."""
        return self.accuracy.interval

    @property
    def download(self) -> int:
        """Bytes of a first visit that it is answerable for: the model and its engine."""
        return self.candidate.size + self.engine_bytes


@dataclass(frozen=True)
class Lead:
    """How far the overall winner is ahead of another candidate.

    Attributes:
        threads: Of both engines.
        time: The winner's over the other's, from interleaved samples; geometric mean over the kinds
            of input.
    """

    threads: int
    time: Estimate


@dataclass(frozen=True)
class Engine:
    """What an engine offers at its best.

    Attributes:
        name: The engine.
        bytes: What a first visit downloads for it, as it travels.
        chosen: Its chosen candidate; "": none of its candidates may be taken.
        leads: How far the overall winner is ahead of that candidate, by number of threads; ():
            it is the winner, or there is no such candidate.
        why: Why it won, or what it lacks: a sentence.
    """

    name: str
    bytes: int
    chosen: str
    leads: tuple[Lead, ...]
    why: str


@dataclass(frozen=True)
class OptimizationReport:
    """What became of a model.

    Attributes:
        model: Its name.
        target: Platform.
        level: Of optimisation.
        optimized_model_path: The overall winner's engine-ready file: of the candidates that are
            chosen, one for each engine, the best.
        steps_completed: Of `STEPS`.
        size_reduction: Fraction of the original's bytes that the winner saves.
        speedup: Of the winner over float32 at one thread.
        accuracy_delta: Percentage points, negative is worse; None: see `accuracy_reason`.
        accuracy_interval: Its 95 % interval.
        accuracy_reason: Why there is no delta; "" where there is.
        candidates: All that were measured.
        engines: What each engine offers at its best, the winner's first.
        rejected: What could not be made or run.
        converted: Step 1.
        graph: Step 2.
        sensitivities: Step 3, per weight.
        compiled: Step 4, per candidate.
        original_size: Bytes that reductions refer to: the float32 graph's.
        seconds: Per step; 0 for one that came from the cache.
        cached: Steps that were not run again.
        warnings: A sentence each.
        seed: Of all that is random.
        machine: That measured.
        versions: Of the tools.
        command: That made this report.
        data: What calibrated, selected and reported, in words.
        notes: What the developer should know of any step, a sentence each; those of `converted`,
            `graph` and the candidates stand there.
    """

    model: str
    target: str
    level: Level
    optimized_model_path: Path
    steps_completed: tuple[str, ...]
    size_reduction: float
    speedup: float
    accuracy_delta: float | None
    accuracy_interval: tuple[float, float] | None
    accuracy_reason: str
    candidates: tuple[Measured, ...]
    rejected: tuple[Rejected, ...]
    converted: Converted
    graph: Graph
    sensitivities: tuple[Sensitivity, ...]
    compiled: tuple[Compiled, ...]
    original_size: int
    seconds: Mapping[str, float]
    cached: tuple[str, ...]
    warnings: tuple[str, ...]
    seed: int
    machine: Mapping[str, object]
    versions: Mapping[str, str]
    command: str
    data: str = ""
    notes: tuple[str, ...] = ()
    engines: tuple[Engine, ...] = ()
