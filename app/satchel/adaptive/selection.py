"""Which of a model's options to run: by accuracy floors and measured work, never by names.

The sets to choose from are nested: what fits this device, in it what is at most so much less
accurate than the model's first option, in it the least work. So "energy" never takes more processor
time than "balanced", nor that more than "quality", whatever the figures are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from satchel.adaptive.limits import FLOORS
from satchel.adaptive.option import Option, Priority
from satchel.footprints import footprint as estimated

__all__ = ["Choice", "chosen", "figure", "footprint"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What to run, and what it is compared with.

    Attributes:
        option: What to run.
        usual: The model's first option that fits: what runs when nothing speaks against it.
        crashed: What would have been the first, but broke the page down; None: nothing.
        tight: Whether an earlier option was passed over since it doesn't fit.
    """

    option: Option
    usual: Option
    crashed: Option | None = None
    tight: bool = False


def chosen(
    options: Sequence[Option], priority: Priority, *, lighter: bool, budget: int | None
) -> Choice | None:
    """The option to run; None where there is none.

    Args:
        options: What there is, the maker's best first.
        priority: What matters most.
        lighter: Whether to spare the device.
        budget: Bytes of memory for one model; None: no limit is known. Where nothing fits, the
            smallest is taken: whoever loads it says what is in the way.
    """
    here = [option for option in options if option.available]
    if not here:
        return None
    fitting = _fitting(here, budget)
    usual = fitting[0]
    crashed = here[0] if here[0].crashed and not usual.crashed else None
    tight = usual is not here[0] and crashed is None
    return Choice(_preferred(fitting, priority, lighter), usual, crashed, tight)


def figure(value: float | None) -> float | None:
    """A figure that can be true: finite and above 0; else None."""
    return value if value is not None and math.isfinite(value) and value > 0 else None


def footprint(option: Option) -> int:
    """Bytes of memory that it takes once loaded, or that it is taken to need."""
    if option.memory is not None:
        return option.memory
    return estimated(option.bytes, option.resolution)


def _fitting(options: list[Option], budget: int | None) -> list[Option]:
    """Those that fit into memory and are smaller than what broke the page down; or the smallest."""
    limit = math.inf if budget is None else budget
    broke = min((footprint(option) for option in options if option.crashed), default=math.inf)
    fitting = [
        option
        for option in options
        if footprint(option) <= limit and footprint(option) < broke and not option.crashed
    ]
    return fitting or [min(options, key=footprint)]


def _preferred(fitting: list[Option], priority: Priority, lighter: bool) -> Option:
    usual = fitting[0]
    measured = [option for option in fitting if _measured(option)]
    if not _measured(usual):
        return usual  # nothing can be said to be better, or nearly as good
    best = max(measured, key=lambda option: (option.accuracy or 0, -_work(option)))
    if priority == "quality":
        return best
    # What is more accurate for less work is better for everybody.
    ordinary = usual if _work(usual) <= _work(best) else best
    floor = (usual.accuracy or 0) - FLOORS[priority]
    near = [option for option in measured if (option.accuracy or 0) >= floor - 1e-9]
    if priority == "speed" and not lighter:
        timed = [option for option in near if figure(option.latency_ms)]
        return min(timed, key=lambda option: option.latency_ms or 0, default=ordinary)
    if lighter or priority == "energy":
        return min(near, key=_work)
    return ordinary


def _measured(option: Option) -> bool:
    return figure(option.accuracy) is not None and figure(option.cpu_seconds) is not None


def _work(option: Option) -> float:
    return option.cpu_seconds or 0.0
