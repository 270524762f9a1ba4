"""Accuracy on the reporting part, of one candidate after another: the browser's, or natively."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from satchel_models.data import Outputs
from satchel_models.measurement.inputs import Inputs
from satchel_models.measurement.laboratory import Contestant, Laboratory, Refusal
from satchel_models.measurement.native import Native
from satchel_models.results import Accuracy
from satchel_models.steps import Candidate
from satchel_models.tools import Progress


@dataclass
class Accounts:
    """What is known of candidates' accuracy.

    Attributes:
        part: The reporting part.
        base: The original's answers to it.
        laboratory: A browser.
        contestant: A candidate as the browser takes it.
        threads: Of the engines.
        told: Gives the progress of the next candidate.
        found: By candidate.
    """

    part: Inputs
    base: Sequence[Outputs]
    laboratory: Laboratory
    contestant: Callable[[Candidate], Contestant]
    threads: int
    told: Callable[[], Progress]
    found: dict[str, Accuracy] = field(default_factory=dict)

    def in_browser(self, one: Candidate, names: frozenset[str]) -> Refusal | None:
        """Measure a candidate where it is to run; say why where it doesn't."""
        feeds = self.part.of(one, names)
        answer = self.laboratory.outputs(
            self.contestant(one), feeds, self.told(), threads=self.threads
        )
        if isinstance(answer, Refusal):
            return answer
        self.found[one.name] = self.part.score(answer, self.base).accuracy
        return None

    def natively(self, one: Candidate) -> None:
        """Measure a candidate on this machine's CPU, and note that."""
        loaded = Native.of(one)
        answers = loaded.outputs(self.part.of(one, loaded.inputs), self.told())
        accuracy = self.part.score(answers, self.base).accuracy
        self.found[one.name] = replace(accuracy, where="native")

    def others(
        self,
        order: Sequence[Candidate],
        names: Mapping[str, frozenset[str]],
        expected: Callable[[Candidate], float],
        allowed: float,
    ) -> list[Refusal]:
        """Measure those that have no figures yet, in the browser as long as the time allows.

        Args:
            order: Who comes first.
            names: Of each one's inputs.
            expected: Seconds that one will take in the browser.
            allowed: Seconds for all.

        Returns:
            Who doesn't run there.
        """
        refused = []
        end = time.perf_counter() + allowed
        for one in order:
            if one.name in self.found:
                continue
            if time.perf_counter() + expected(one) > end:
                self.natively(one)
            elif refusal := self.in_browser(one, names[one.name]):
                refused.append(refusal)
        return refused
