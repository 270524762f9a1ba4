"""What can be asked for, what can be run, and what was decided: the words of a decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Decision", "Option", "Override", "Priority", "Strategy"]

Priority = Literal["speed", "balanced", "quality", "energy"]
"""What matters most to whoever asks."""

Strategy = Literal["full", "lightweight", "throttled"]
"""How hard to work: with all that helps; with the least work; with rests in between."""

Override = Strategy
"""What a person may insist on."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to get an answer: a variant at a resolution, with what reports say of it.

    Figures are one thread's, for one answer; None where nobody measured them.

    Attributes:
        variant: The variant's name.
        engine: "onnxruntime" or "litert".
        resolution: Height and width in pixels that the model sees; None where that has no meaning.
        bytes: Size of its file.
        memory: Bytes that it takes once it is loaded.
        cpu_seconds: Processor time.
        latency_ms: Milliseconds.
        accuracy: The task's own measure, as a fraction of 1.
        available: Whether it can be run here and now.
        crashed: Whether the page broke down when this was loaded last time.
    """

    variant: str
    engine: str
    resolution: int | None
    bytes: int
    memory: int | None = None
    cpu_seconds: float | None = None
    latency_ms: float | None = None
    accuracy: float | None = None
    available: bool = True
    crashed: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """How to work now, and why.

    Attributes:
        strategy: "full", "lightweight" or "throttled".
        variant: What to run; None where there was nothing to choose between.
        engine: What runs it; None as above.
        threads: Number of threads.
        batch: Requests to run one after the other before the next rest, 1 or more.
        delay: Seconds to rest after a batch.
        resolution: Height and width in pixels; None as for options.
        reason: One sentence for people, with figures from the options.
        cpu_target: Share of one processor core to stay within; None: no limit.
        extras: Whether work that nobody waits for is done: thumbnails, details of an answer.
        ahead: Whether to prepare what might be wanted next.
        downloads: Whether to fetch what nobody asked for.
        notes: Sentences for people on what is left out meanwhile.
    """

    strategy: Strategy
    variant: str | None
    engine: str | None
    threads: int
    batch: int
    delay: float
    resolution: int | None
    reason: str
    cpu_target: float | None = None
    extras: bool = True
    ahead: bool = True
    downloads: bool = True
    notes: tuple[str, ...] = ()
