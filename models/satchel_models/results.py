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
    "Estimate",
    "Graph",
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
        speedup: Over float32 at one thread, geometric mean over the kinds of input.
        creation_ms: Time to make a session, each sample.
        creation_speedup: float32's time to make a session over this one's.
        timings: Per threads and kind of input.
        accuracy: Against the original, on the reporting part of the data.
        selection: What selected it: mean loss in points on the selecting part, with its interval.
        pareto: Whether nothing else is at least as good in every respect and better in one.
        chosen: Whether it is the one, for its engine.
        why: Why it is chosen, or why not: a sentence.
    """

    candidate: Candidate
    size_reduction: float
    speedup: Estimate
    creation_ms: Sequence[float]
    creation_speedup: Estimate
    timings: tuple[Timing, ...]
    accuracy: Accuracy
    selection: Estimate
    pareto: bool
    chosen: bool
    why: str


@dataclass(frozen=True)
class OptimizationReport:
    """What became of a model.

    Attributes:
        model: Its name.
        target: Platform.
        level: Of optimisation.
        optimized_model_path: The chosen candidate's engine-ready file.
        steps_completed: Of `STEPS`.
        size_reduction: Fraction of the original's bytes that the chosen one saves.
        speedup: Of the chosen one over float32 at one thread.
        accuracy_delta: Percentage points, negative is worse; None: see `accuracy_reason`.
        accuracy_interval: Its 95 % interval.
        accuracy_reason: Why there is no delta; "" where there is.
        candidates: All that were measured.
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
