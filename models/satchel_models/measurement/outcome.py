"""Step 5's result: what was measured of each candidate and engine, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from satchel_models.measurement import choice, figures, reasons
from satchel_models.measurement.choice import Entry
from satchel_models.measurement.laboratory import Measurement
from satchel_models.measurement.reasons import Decision
from satchel_models.results import Accuracy, Engine, Estimate, Lead, Measured
from satchel_models.steps import Candidate, Rejected

Need = tuple[tuple[str, ...], str]
"""What a browser must have, and how that was found out."""

NOTHING: Need = ((), "")


@dataclass(frozen=True)
class Validation:
    """Step 5's result.

    Attributes:
        measured: One for each candidate that runs, in the candidates' order.
        rejected: What doesn't run.
        engines: What each engine offers at its best, the winner's first.
        versions: Of what measured.
        notes: What the developer should know, a sentence each.
    """

    measured: tuple[Measured, ...]
    rejected: tuple[Rejected, ...]
    engines: tuple[Engine, ...]
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings:
    """All that is known of the candidates that run.

    Attributes:
        running: In order; the first one is float32 on onnxruntime.
        found: Times, by name.
        losses: On the selecting part, by name.
        downloads: Of engines, by name, in bytes.
    """

    running: Sequence[Candidate]
    found: Mapping[str, Measurement]
    losses: Mapping[str, Estimate]
    downloads: Mapping[str, int]

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
                engine_bytes=self.downloads[one.engine],
            )
            for one in self.running
        ]


def measured(
    of: Findings,
    accuracies: Mapping[str, Accuracy],
    made: Decision,
    needs: Mapping[str, Need],
    original_size: int,
) -> tuple[Measured, ...]:
    """What is known of each candidate.

    Args:
        of: What was measured.
        accuracies: On the reporting part, by name.
        made: What was decided.
        needs: Of what is chosen, by name.
        original_size: What reductions refer to.
    """
    pareto = choice.front(made.entries)
    why = reasons.candidates(made)
    entries = {entry.name: entry for entry in made.entries}
    chosen = set(made.chosen.values())
    return tuple(
        Measured(
            candidate=one,
            size_reduction=1 - one.size / original_size,
            speed=entries[one.name].speedup,
            creation_ms=of.found[one.name].creation_ms,
            creation_speedup=entries[one.name].creation,
            timings=figures.timings(of.found[one.name], one.resolution),
            accuracy=accuracies[one.name],
            selection=of.losses[one.name],
            pareto=one.name in pareto,
            chosen=one.name in chosen,
            why=why[one.name],
            engine_bytes=entries[one.name].engine_bytes,
            needs=needs.get(one.name, NOTHING)[0],
            needs_why=needs.get(one.name, NOTHING)[1],
        )
        for one in of.running
    )


def engines(of: Findings, made: Decision) -> tuple[Engine, ...]:
    """What each engine offers at its best, the winner's first."""
    winner = made.entry(made.winner)
    leads = {
        engine: tuple(
            Lead(threads, figures.time(of.found[winner.name], of.found[name], threads))
            for threads in figures.threads(of.found[name])
        )
        for engine, name in made.chosen.items()
        if name != winner.name
    }
    why = reasons.engines(made, {engine: of[0].time for engine, of in leads.items()})
    found = [
        Engine(name, of.downloads[name], made.chosen.get(name, ""), leads.get(name, ()), why[name])
        for name in choice.by_engine(made.entries)
    ]
    return tuple(sorted(found, key=lambda engine: engine.name != winner.engine))
