"""What `bench adaptive` measures: ways to work, and the states of a device that ask for them.

Pure: what a page decided comes in, and what the report and its page say of it goes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from builder.bench import publish
from builder.errors import BuildError


@dataclass(frozen=True)
class Way:
    """What runs an answer.

    Attributes:
        variant: Of the model.
        resolution: Of the photos that it sees, in pixels.
        threads: Number of threads.
    """

    variant: str
    resolution: int
    threads: int

    @classmethod
    def of(cls, decision: Mapping[str, Any]) -> Way:
        """What the page's decision says."""
        return cls(decision["variant"], decision["resolution"], decision["threads"])

    @property
    def words(self) -> str:
        """For people.

        >>> Way("int8", 192, 1).words
        '192 px, 1 thread'
        """
        return f"{self.resolution} px, {self.threads} thread{'' if self.threads == 1 else 's'}"


@dataclass(frozen=True)
class Mode:
    """What a person can insist on, which gives one way whatever state the device is in.

    Attributes:
        override: The strategy.
        priority: What matters most.
    """

    override: str
    priority: str


MODES = {
    "full": Mode("full", "balanced"),
    "speed": Mode("full", "speed"),
    "lightweight": Mode("lightweight", "balanced"),
    "quality": Mode("lightweight", "quality"),
    "energy": Mode("lightweight", "energy"),
}
"""Arms of the measurement, by the names that its samples have."""


@dataclass(frozen=True)
class State:
    """A state of the device, brought about by real levers.

    Attributes:
        words: For people.
        says: How the reason of a decision begins when the page has noticed, and nothing of another
            state is left.
        strategy: What is then decided, at priority balanced.
        percent: Of the battery's charge.
        charging: Whether it is charged.
        pressure: Of the processor, in the words of Compute Pressure.
    """

    words: str
    says: str
    strategy: str
    percent: float = 80
    charging: bool = True
    pressure: str = "nominal"


CALM = State("no pressure, battery at 80 %, charging", "Nothing holds this device back:", "full")
LOW = State(
    "no pressure, battery at 15 %",
    "Battery at 15 % and not charging:",
    "lightweight",
    percent=15,
    charging=False,
)
SERIOUS = State(
    "pressure serious, battery at 80 %",
    "The processor is under serious load:",
    "throttled",
    charging=False,
    pressure="serious",
)
CRITICAL = State(
    "pressure critical, battery at 80 %",
    "The processor is under critical load:",
    "throttled",
    charging=False,
    pressure="critical",
)
"""On a battery: on mains a page that makes the processor busy itself is not held back."""

PRIORITIES = ("speed", "balanced", "quality", "energy")


@dataclass(frozen=True)
class Decided:
    """What a page decided in a state.

    Attributes:
        state: In words.
        priority: What mattered.
        strategy: "full", "lightweight" or "throttled".
        mode: The arm that works in the same way.
        rests: Whether there is rest between answers.
        reason: Its sentence.
    """

    state: str
    priority: str
    strategy: str
    mode: str
    rests: bool
    reason: str


def decided(
    state: State, priority: str, decision: Mapping[str, Any], ways: Mapping[str, Way]
) -> Decided:
    """What a page decided, and which of the arms works like that.

    Args:
        state: The device's.
        priority: What mattered.
        decision: The page's.
        ways: By the names of `MODES`.

    Raises:
        BuildError: None of them does.
    """
    way = Way.of(decision)
    alike = [name for name, other in ways.items() if other == way]
    # With one thread at best, two modes work in the same way.
    named = [name for name in alike if MODES[name].override == decision["strategy"]]
    if not alike:
        raise BuildError(
            f"With {state.words} at priority {priority} the page works in a way that is not "
            f"measured: {way.words} ({decision['reason']})"
        )
    rests = decision["delay"] > 0
    mode = (named or alike)[0]
    return Decided(state.words, priority, decision["strategy"], mode, rests, decision["reason"])


def page(told: publish.Told) -> str:
    """The table of states and what they cost, in Markdown, and what people are told.

    Args:
        told: The report.
    """
    rows = [Decided(**row) for row in told["states"]]
    reasons = {row.state: row.reason for row in rows if row.priority == "balanced"}
    sentences = "".join(f"- {state}: “{reason}”\n" for state, reason in reasons.items())
    head = ["state", "priority", "strategy", "runs", "time", "processor time", "top-1"]
    return (
        f"{publish.table(head, [_cells(row, told) for row in rows])}\n"
        "Per photo; rests come on top of the time. "
        f"What the page says, at priority balanced:\n\n{sentences}"
    )


def _cells(row: Decided, told: publish.Told) -> list[str]:
    samples, way = told["samples"], Way(**told["ways"][row.mode])
    latency, cpu = (
        publish.amount(samples[f"{row.mode}.{what}"]["median"], "ms") for what in ("latency", "cpu")
    )
    runs = way.words + (", with rests" if row.rests else "")
    return [row.state, row.priority, row.strategy, runs, latency, cpu, _top1(way.variant, told)]


def _top1(variant: str, told: publish.Told) -> str:
    """A variant's accuracy, which is the same in all modes that run it."""
    for mode, way in told["ways"].items():
        if way["variant"] == variant and (found := told["figures"].get(f"{mode}.top1")):
            return publish.amount(found["value"], "fraction")
    return ""
