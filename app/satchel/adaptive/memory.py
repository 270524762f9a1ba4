"""Which loaded models make room for another one: a pure decision.

The least recently used ones go, and as few as will do; what is running stays. Where that isn't
enough the load is refused with figures, and with the largest smaller variant that would fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from satchel.adaptive.option import Option
from satchel.adaptive.selection import footprint
from satchel.adaptive.sentences import amount, model_name

__all__ = ["Loaded", "Refused", "Released", "idle", "room"]

IDLE = 120.0
"""Seconds without a run after which an engine's worker is ended on a small device: WebAssembly
never gives memory back otherwise. Starting it again takes a fraction of a second."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A session that takes memory.

    Attributes:
        name: The model's, for people.
        memory: Bytes.
        used: When it last ran, in seconds.
        busy: Whether it runs, or something waits for it.
    """

    name: str
    memory: int
    used: float
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Released:
    """There is room once these are released, in this order; for none, there is room as it is."""

    sessions: tuple[Loaded, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no room, whatever is released.

    Attributes:
        what: What happened, for people, with figures.
        why: The cause, with figures.
        todo: What to do next.
        smaller: A variant that would fit; None: none would.
    """

    what: str
    why: str
    todo: str
    smaller: Option | None


def room(
    wanted: Option,
    loaded: Sequence[Loaded],
    budget: int | None,
    *,
    name: str,
    options: Sequence[Option] = (),
) -> Released | Refused:
    """Make room for a model.

    Args:
        wanted: What is to be loaded.
        loaded: What is loaded.
        budget: Bytes that all loaded models may take together; None: no limit is known, and nothing
            is released or refused.
        name: The model's, for people.
        options: What else could be loaded instead.
    """
    if budget is None:
        return Released(())
    busy = sum(session.memory for session in loaded if session.busy)
    if footprint(wanted) + busy > budget:
        return _refused(wanted, budget, busy, name, options)
    excess = footprint(wanted) + sum(session.memory for session in loaded) - budget
    going: list[Loaded] = []
    for session in sorted(loaded, key=lambda session: session.used):
        if excess <= 0:
            break
        if not session.busy:
            going.append(session)
            excess -= session.memory
    return Released(_needed(going, excess))


def idle(loaded: Sequence[Loaded], now: float, limit: float = IDLE) -> bool:
    """Whether nothing has run for so long that the worker may be ended to give its memory back."""
    return bool(loaded) and not any(
        session.busy or now - session.used < limit for session in loaded
    )


def _needed(going: list[Loaded], excess: int) -> tuple[Loaded, ...]:
    """Without those that needn't go, since a larger one that had to go later freed enough."""
    kept = list(going)
    for session in reversed(going):
        if excess + session.memory <= 0:
            kept.remove(session)
            excess += session.memory
    return tuple(kept)


def _refused(
    wanted: Option, budget: int, busy: int, name: str, options: Sequence[Option]
) -> Refused:
    left = max(0, budget - busy)
    fitting = [
        option
        for option in options
        if option.available and not option.crashed and footprint(option) <= left
    ]
    smaller = max(fitting, key=footprint, default=None)
    in_use = f", of which {amount(busy)} are in use" if busy else ""
    estimated = "" if wanted.memory is not None else "about "
    offer = "Close other pages or programs, and try again"
    if footprint(wanted) <= budget:
        offer = "Try again when what runs now has ended"
    if smaller is not None:
        offer = f"Use {model_name(smaller, wanted)} instead: it takes {amount(footprint(smaller))}"
    return Refused(
        what=f"'{name}' does not fit into this device's memory",
        why=f"It takes {estimated}{amount(footprint(wanted))}, and models may take"
        f" {amount(budget)} here{in_use}",
        todo=offer,
        smaller=smaller,
    )
