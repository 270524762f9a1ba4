"""Which candidates are worth a look, and which one to take: pure functions of their figures.

The level's budget says what accuracy may go. No candidate is taken that is slower than float32 on
onnxruntime, to run or to load, when the whole interval says so. Of the others, each engine's best
is the one with the least bytes × latency; of equals, those that load no slower come first, then the
one that loses least accuracy, then the one that takes least processor time, then the smallest. Of
the engines' best ones, the same rule finds the winner, with the engine's own download among the
bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from satchel_models.results import Accuracy, Estimate

SAME = 0.05
"""Latencies and processor times that differ by less than this part are the same: chance. Medians of
two runs on a small machine differ by as much."""

SAME_CPU = 0.1
"""The same where processor times decide between equals: their clock ticks every 10 ms."""

NOTICED_MS = 5.0
"""By so much longer must a session take to be made for anybody to notice."""

SAME_POINTS = 0.05
"""Losses of accuracy that differ by less, in points, are the same."""


@dataclass(frozen=True)
class Entry:
    """A candidate's figures, as far as the choice needs them.

    Attributes:
        name: The candidate's.
        engine: That runs it.
        size: Bytes.
        speedup: Over float32 at one thread, geometric mean over kinds of input.
        creation: float32's time to make a session over its own.
        creation_ms: By how much longer than float32's it takes, median.
        cpu_seconds: Of one inference at one thread, geometric mean over kinds of input.
        loss: Of accuracy on the selecting part, in points.
        smaller_input: Whether it looks at less than the original does.
        engine_bytes: What a first visit downloads for the engine itself.
    """

    name: str
    engine: str
    size: int
    speedup: Estimate
    creation: Estimate
    creation_ms: float
    cpu_seconds: float
    loss: Estimate
    smaller_input: bool = False
    engine_bytes: int = 0

    @property
    def download(self) -> int:
        """Bytes of a first visit that it is answerable for."""
        return self.size + self.engine_bytes

    @property
    def cost(self) -> float:
        """Bytes × latency, in units of float32's latency: within an engine, which all pay for."""
        return self.size / self.speedup.value

    @property
    def whole_cost(self) -> float:
        """Bytes × latency with the engine's own bytes: across engines."""
        return self.download / self.speedup.value


Cost = Callable[[Entry], float]


def objection(entry: Entry, level: str, budget: float) -> str:
    """Say why a candidate can't be taken, whatever its accuracy elsewhere; "" where it can."""
    if entry.smaller_input:
        return "A smaller resolution is measured and shown, and never the default."
    if entry.loss.value > budget:
        return (
            f"Loses {entry.loss.value:.2f} points on the selecting part, more than the {budget:g} "
            f"of {level}."
        )
    if entry.speedup.high < 1:
        return f"Slower than float32: {times(entry.speedup)} its speed at one thread."
    if entry.creation.high < 1 and entry.creation_ms > NOTICED_MS:
        return (
            f"Slower to load than float32: {times(entry.creation)} its speed, "
            f"{entry.creation_ms:.0f} ms more."
        )
    return ""


def shortfall(accuracy: Accuracy, level: str, budget: float) -> str:
    """Say that the reporting part shows too great a loss; "" where it may be chance, or isn't."""
    if accuracy.delta is None or accuracy.interval is None or accuracy.interval[1] >= -budget:
        return ""
    low, high = (-end for end in reversed(accuracy.interval))
    return (
        f"Loses {-accuracy.delta:.2f} points on the reporting part ({low:.2f} … {high:.2f}), more "
        f"than the {budget:g} of {level}."
    )


def by_engine(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Each engine's candidates, in order; float32's engine comes first."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.engine, []).append(entry)
    return found


def ranked(entries: Sequence[Entry], baseline: str, level: str, budget: float) -> list[Entry]:
    """One engine's candidates that can be taken, the best one first; perhaps none.

    Args:
        entries: Of one engine.
        baseline: The name of float32 on onnxruntime, to which there is never an objection.
        level: Of optimisation.
        budget: Points that it may cost.
    """
    left = [
        entry for entry in entries if entry.name == baseline or not objection(entry, level, budget)
    ]
    return _ordered(left, lambda entry: entry.cost)


def across(best: Sequence[Entry]) -> list[Entry]:
    """Engines' best candidates, the overall winner first: here the engines' bytes count, too."""
    return _ordered(best, lambda entry: entry.whole_cost)


def _ordered(entries: Sequence[Entry], cost: Cost) -> list[Entry]:
    left = list(entries)
    order: list[Entry] = []
    while left:
        least = min(map(cost, left))
        equals = [entry for entry in left if cost(entry) <= least * (1 + SAME)]
        best = min(_thrifty(_accurate(_prompt(equals))), key=lambda entry: entry.download)
        order.append(best)
        left.remove(best)
    return order


def _prompt(equals: Sequence[Entry]) -> list[Entry]:
    """Those that surely don't load slower than float32; all, where there are none."""
    return [entry for entry in equals if entry.creation.high >= 1] or list(equals)


def _accurate(equals: Sequence[Entry]) -> list[Entry]:
    """Those that lose no more than the best one does, as far as can be told."""
    most = min(entry.loss.value for entry in equals) + SAME_POINTS
    return [entry for entry in equals if entry.loss.value <= most]


def _thrifty(equals: Sequence[Entry]) -> list[Entry]:
    """Those that take no more processor time than the best one, as far as can be told."""
    most = min(entry.cpu_seconds for entry in equals) * (1 + SAME_CPU)
    return [entry for entry in equals if entry.cpu_seconds <= most]


def front(entries: Sequence[Entry]) -> frozenset[str]:
    """Names on the Pareto front over bytes, latency, loss of accuracy and processor time.

    Bytes are those of the candidate and of its engine.
    """
    return frozenset(
        entry.name
        for entry in entries
        if not any(_dominates(other, entry) for other in entries if other is not entry)
    )


def _dominates(one: Entry, other: Entry) -> bool:
    """Whether `one` is as good in every respect, and better in one.

    What looks at less never is beside what looks at all: how sure a model is changes with the size
    of its input, and losses, which are of probabilities, with it.
    """
    if one.smaller_input and not other.smaller_input:
        return False
    pairs = (
        (one.download, other.download, 0.0),
        (1 / one.speedup.value, 1 / other.speedup.value, SAME / other.speedup.value),
        (one.cpu_seconds, other.cpu_seconds, SAME * other.cpu_seconds),
        (one.loss.value, other.loss.value, SAME_POINTS),
    )
    return all(a <= b + same for a, b, same in pairs) and any(a < b - same for a, b, same in pairs)


def times(ratio: Estimate) -> str:
    """Write a ratio with its interval."""
    return f"{ratio.value:.2f} ({ratio.low:.2f} … {ratio.high:.2f}) times"
