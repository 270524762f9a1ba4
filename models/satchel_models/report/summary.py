"""The report in sentences: what was chosen, how much smaller, how fast, how accurate."""

import math
from collections.abc import Iterable

from satchel_models import engines
from satchel_models.report import figures
from satchel_models.report.rows import Row, chosen, engine_rows, rows
from satchel_models.results import BUDGETS, Accuracy, Measured, OptimizationReport

METRICS = {
    "top1": "top-1",
    "top5": "top-5",
    "spearman": "Spearman correlation",
    "agreement": "agreement with the original",
    "cosine": "cosine with the original",
}
"""Metrics in words."""

COEFFICIENTS = {"spearman", "cosine"}
"""Metrics that are no share of samples: their points are hundredths."""

COUNTS = {1: "one", 2: "two"}

STEPS = {
    "onnx_conversion": "Convert",
    "graph_optimization": "Optimise graph",
    "quantization": "Quantise",
    "platform_compilation": "Compile",
    "validation": "Measure",
}
"""Steps in words."""


def headline(report: OptimizationReport) -> str:
    """Say in a paragraph what came of it."""
    picked = chosen(report)
    if picked is None:
        return f"Nothing was chosen for {report.model}: see why for each candidate."
    words = [what(report, picked), speed(report, picked), accuracy(picked.accuracy)]
    return " ".join([*words, *standings(report)])


def standings(report: OptimizationReport) -> Iterable[str]:
    """Say how the winner stands beside each other engine's best candidate."""
    found = engine_rows(report)
    for other in found[1:]:
        if other.picked is None:
            yield other.engine.why
            continue
        times = figures.listing(
            [
                f"{time.value:.2f} times ({figures.spread(time)}) with "
                f"{COUNTS.get(threads, threads)} {'thread' if threads == 1 else 'threads'}"
                for threads, time in other.times.items()
            ]
        )
        yield (
            f"Its time beside that of {other.chosen}, the best on "
            f"{engines.title(other.engine.name)}: {times}. A first visit downloads "
            f"{found[0].download} for it instead of {other.download}, engines included."
        )


def what(report: OptimizationReport, picked: Measured) -> str:
    """Say which candidate, and how big."""
    size = figures.size(picked.candidate.size)
    on = f" on {engines.title(picked.engine)}" if engine_rows(report) else ""
    if picked.candidate.name == report.candidates[0].candidate.name:
        return (
            f"{picked.name}{on} stays, with {size}: nothing smaller was as fast and within "
            f"the {figures.budget(BUDGETS[report.level])} that level {report.level} may cost."
        )
    before = figures.size(report.original_size)
    change = "smaller" if picked.size_reduction >= 0 else "larger"
    return (
        f"{picked.name}{on} was chosen: {size} instead of {before}, "
        f"{figures.percent(abs(picked.size_reduction))} {change}."
    )


def speed(report: OptimizationReport, picked: Measured) -> str:
    """Say how fast it is, beside float32."""
    latency = next(row.latency for row in rows(report) if row.measured is picked)
    if not math.isfinite(latency[1]):
        return "How fast it is was not measured."
    took = f"{figures.milliseconds(latency[1])} ms an inference with one thread"
    if math.isfinite(latency[2]):
        took += f", {figures.milliseconds(latency[2])} ms with two"
    baseline = report.candidates[0].candidate.name
    if picked.candidate.name == baseline:
        return f"It takes {took}."
    ratio = picked.speed
    if ratio.low > 1:
        verdict = f"{ratio.value:.2f} times as fast as {baseline}"
    elif ratio.high < 1:
        verdict = f"slower than {baseline}, with {ratio.value:.2f} times its speed"
    else:
        verdict = f"as fast as {baseline}, with {ratio.value:.2f} times its speed"
    return f"It is {verdict} ({figures.spread(ratio)}): {took}."


def accuracy(of: Accuracy) -> str:
    """Say what it costs in accuracy."""
    name = METRICS.get(of.metric, of.metric)
    on = f"on {figures.counted(of.count, 'sample')}"
    if of.delta is None:
        return f"{_clause(of.why)} {name.capitalize()}: {metric(of.metric, of.value)} {on}."
    between = f" (95 % interval {figures.interval(of.interval)})" if of.interval else ""
    change = f"{name} changes by {figures.points(of.delta)} points{between} {on}"
    if of.interval and of.interval[1] < 0:
        return f"It is less accurate: {change}."
    if of.interval and of.interval[0] <= 0 <= of.interval[1]:
        return f"Its accuracy can't be told from the original's: {change}."
    return f"Accuracy: {change}."


def accuracy_cells(of: Accuracy) -> tuple[str, str]:
    """Write accuracy in short: the change and its interval, or where there's none, the likeness.

    Returns:
        The figure, and what stands beside or below it.
    """
    if of.delta is None:
        return metric(of.metric, of.value), of.metric
    return figures.points(of.delta), figures.interval(of.interval)


def told(found: Iterable[Row]) -> bool:
    """Return whether changes of accuracy can be told: without labels only likeness can."""
    return any(row.measured.accuracy.delta is not None for row in found)


def metric(name: str, value: float) -> str:
    """Write what a metric is: a share as a percentage, a coefficient as it is.

    Example:
        >>> metric("top1", 0.8772), metric("spearman", 0.86722)
        ('87.7 %', '0.8672')
    """
    return f"{value:.4f}" if name in COEFFICIENTS else figures.percent(value, 1)


def circumstances(report: OptimizationReport) -> str:
    """Say what was asked for."""
    data = f" Data: {report.data.rstrip('.')}." if report.data else ""
    return (
        f"{report.model} ({report.converted.origin}) for {report.target}, level {report.level}: "
        f"at most {figures.budget(BUDGETS[report.level])} of accuracy.{data} {_work(report)}"
    )


def _work(report: OptimizationReport) -> str:
    took = figures.duration(sum(report.seconds.values()))
    if not report.cached:
        return f"It took {took}."
    words = [STEPS.get(step, step).lower() for step in report.cached]
    return f"It took {took}; kept from an earlier run: {figures.listing(words)}."


def _clause(sentence: str) -> str:
    """Return a sentence as the end of another one."""
    plain = sentence.strip() or "nobody said why"
    return plain if plain.endswith(".") else plain + "."
