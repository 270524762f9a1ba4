"""Sentences that say of each candidate, and of each engine, why it is taken or why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from satchel_models.engines import title
from satchel_models.measurement.choice import (
    SAME,
    SAME_CPU,
    SAME_POINTS,
    Cost,
    Entry,
    by_engine,
    objection,
)
from satchel_models.results import Estimate


@dataclass(frozen=True)
class Decision:
    """What was decided.

    Attributes:
        entries: All candidates; the first one is float32 on onnxruntime.
        chosen: Each engine's chosen candidate by the engine's name; engines without one are not
            in it.
        winner: The name of the best one of them.
        shortfalls: Why some were passed over at last, by name.
        level: Of optimisation.
        budget: Points that it may cost.
    """

    entries: Sequence[Entry]
    chosen: Mapping[str, str]
    winner: str
    shortfalls: Mapping[str, str]
    level: str
    budget: float

    def entry(self, name: str) -> Entry:
        """A candidate's figures."""
        return next(entry for entry in self.entries if entry.name == name)


def candidates(made: Decision) -> dict[str, str]:
    """Say for each candidate why it is chosen, or why not."""
    return {entry.name: _reason(entry, made) for entry in made.entries}


def engines(made: Decision, time: Mapping[str, Estimate]) -> dict[str, str]:
    """Say for each engine how it stands beside the others.

    Args:
        made: What was decided.
        time: The winner's time over that of each other engine's chosen one, at one thread, by the
            engine's name.
    """
    return {name: _standing(name, made, time) for name in by_engine(made.entries)}


def _standing(engine: str, made: Decision, time: Mapping[str, Estimate]) -> str:
    if engine not in made.chosen:
        return f"None of {title(engine)}'s candidates may be taken."
    mine, winner = made.entry(made.chosen[engine]), made.entry(made.winner)
    if mine is winner:
        others = [other for other in by_engine(made.entries) if other != engine]
        if not others:
            return f"{mine.name} was chosen; no other engine has candidates."
        return (
            f"{mine.name} was chosen over {', '.join(map(title, others))}: least bytes × latency, "
            f"with {megabytes(mine.engine_bytes)} for the engine."
        )
    ratio = time[engine]
    return (
        f"{winner.name} on {title(winner.engine)} answers in {ratio.value:.2f} "
        f"({ratio.low:.2f} … {ratio.high:.2f}) times the time of {mine.name}, and comes with "
        f"{megabytes(winner.download)} instead of {megabytes(mine.download)}, engines included."
    )


def megabytes(count: float) -> str:
    """Write bytes.

    Example:
        >>> megabytes(2_391_000)
        '2.39 MB'
    """
    return f"{count / 1e6:.2f} MB"


def _reason(entry: Entry, made: Decision) -> str:
    first = made.entries[0]
    best = made.entry(made.chosen[entry.engine]) if entry.engine in made.chosen else None
    if entry is best:
        return _taken(entry, made)
    if entry is first:
        return "The original: what the others are compared with."
    objected = objection(entry, made.level, made.budget) or made.shortfalls.get(entry.name, "")
    if objected or best is None:
        return objected
    return _behind(entry, best, lambda one: one.cost, "bytes × latency")


def _taken(entry: Entry, made: Decision) -> str:
    """Why an engine's chosen one is that, and how it stands beside the other engines'."""
    of = f" of {title(entry.engine)}'s" if len(by_engine(made.entries)) > 1 else ""
    if entry is made.entries[0]:
        words = f"It stays: nothing smaller{of} is within {_points(made.budget)} and as fast."
    else:
        words = (
            f"Least bytes × latency{of or ' of all'} that lose at most {_points(made.budget)} and "
            "are no slower than float32, to run or to load."
        )
    winner = made.entry(made.winner)
    if len(made.chosen) == 1:
        return words
    if entry is winner:
        return f"{words} The winner over all engines, their downloads counted."
    behind = _behind(
        entry, winner, lambda one: one.whole_cost, "bytes × latency, engines included,"
    )
    return f"{words} {behind}"


def _points(budget: float) -> str:
    return f"{budget:g} {'point' if budget == 1 else 'points'}"


def _behind(entry: Entry, best: Entry, cost: Cost, what: str) -> str:
    more = cost(entry) / cost(best) - 1
    if more > SAME:
        return f"Within the budget, but its {what} are {more:.0%} above {best.name}'s."
    as_good = f"As good as {best.name} in {what.rstrip(',')}"
    if entry.creation.high < 1 <= best.creation.high:
        return f"{as_good}, but it loads slower."
    if entry.loss.value > best.loss.value + SAME_POINTS:
        return f"{as_good}, but it loses more accuracy."
    if entry.cpu_seconds > best.cpu_seconds * (1 + SAME_CPU):
        return f"{as_good}, but it takes more processor time."
    return f"As good as {best.name}, as far as can be told, which is smaller."
