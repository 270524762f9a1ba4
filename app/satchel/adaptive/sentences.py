"""The reason for a decision: one sentence for people, with figures from the options' reports."""

from __future__ import annotations

from dataclasses import dataclass

from satchel.adaptive.conditions import Mode, low
from satchel.adaptive.option import Option, Override, Priority, Strategy
from satchel.adaptive.pace import Pace
from satchel.adaptive.selection import Choice, figure
from satchel.device import DeviceProfile

__all__ = ["Plan", "amount", "model_name", "notes", "reason", "saved"]

_SHARES = {0.5: "half", 0.25: "a quarter"}

_WISHES: dict[Override, str] = {
    "full": "You want full effort",
    "lightweight": "You want as little work as possible",
    "throttled": "You want the device kept cool",
}

_PRIORITIES: dict[Priority, str] = {
    "speed": "You want answers fast",
    "balanced": "Nothing holds this device back",
    "quality": "You want the best answers",
    "energy": "You want as little energy used as possible",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided, as far as its reason tells of it."""

    strategy: Strategy
    priority: Priority
    override: Override | None
    choice: Choice | None
    threads: int
    pace: Pace
    unit: str


def reason(plan: Plan, profile: DeviceProfile, mode: Mode, ratio: float | None) -> str:
    """Why, then what: "Battery at 14 % and not charging: the 192 px model on one thread, …".

    Args:
        plan: What was decided.
        profile: The reading that it was decided on.
        mode: The conditions in force.
        ratio: Of the time that answers take to what is usual here; None: not known.
    """
    causes = _causes(plan, profile, mode, ratio)
    parts = [_model(plan), *_work(plan), *_rests(plan)]
    return f"{_joined(causes)}: {', '.join(part for part in parts if part)}."


def notes(profile: DeviceProfile, *, spared: bool) -> tuple[str, ...]:
    """What is left out meanwhile."""
    found = []
    if spared:
        found.append("Small pictures and details of answers come when there is more to spare.")
    if profile.visible is False:
        found.append("Nothing is prepared in advance while this page can't be seen.")
    if profile.costly:
        found.append("Nothing is downloaded unasked on a connection that may cost you.")
    return tuple(found)


def saved(option: Option, usual: Option) -> float | None:
    """Work that an option saves, as a fraction of the usual one's; None where nobody measured."""
    work, before = figure(option.cpu_seconds), figure(usual.cpu_seconds)
    return None if work is None or before is None else 1 - work / before


def model_name(option: Option, usual: Option) -> str:
    """How people tell an option from the usual one."""
    if option.variant != usual.variant and option.resolution == usual.resolution:
        return f"the model's variant {option.variant}"
    return f"the {option.resolution} px model" if option.resolution else "the model as it is"


def amount(size: float) -> str:
    """Bytes for people.

    >>> amount(4_890_000), amount(120_000_000), amount(2 * 2**30)
    ('4.9 MB', '120 MB', '2.1 GB')
    """
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            number = size / unit
            return f"{number:.1f} {name}" if number < 10 else f"{number:.0f} {name}"
    return f"{size:.0f} bytes"


def _causes(plan: Plan, profile: DeviceProfile, mode: Mode, ratio: float | None) -> list[str]:
    if plan.override:
        causes = [_WISHES[plan.override]]
    else:
        causes = [
            *([_battery(profile)] if mode.low_battery else []),
            *_heat(mode, profile, ratio),
            *(["this device has little memory"] if mode.small else []),
        ]
    choice = plan.choice
    if choice and choice.crashed:
        broke = model_name(choice.crashed, choice.option)
        causes.append(f"loading {broke} ended this page last time")
    elif choice and choice.tight and not mode.small:
        causes.append("there is little free memory")
    return causes or [_PRIORITIES[plan.priority]]


def _heat(mode: Mode, profile: DeviceProfile, ratio: float | None) -> list[str]:
    if mode.pressure:
        easing = profile.pressure not in ("serious", "critical")
        return [f"the processor {'was' if easing else 'is'} under {mode.pressure} load"]
    if mode.slow:
        times = f"{ratio:.1f} times as long as" if ratio and ratio >= 1.1 else "longer than"
        return [f"answers take {times} usual, as on a hot or busy processor"]
    return []


def _battery(profile: DeviceProfile) -> str:
    if not low(profile) and (profile.charging or profile.battery_level is None):
        return "the battery was low until a moment ago"
    unplugged = " and not charging" if profile.charging is False else ""
    return f"battery at {100 * (profile.battery_level or 0):.0f} %{unplugged}"


def _model(plan: Plan) -> str:
    threads = "one thread" if plan.threads == 1 else f"{plan.threads} threads"
    if plan.choice is None:
        return threads
    return f"{model_name(plan.choice.option, plan.choice.usual)} on {threads}"


def _work(plan: Plan) -> list[str]:
    choice = plan.choice
    less = saved(choice.option, choice.usual) if choice else None
    if less is None or abs(less) < 0.005:
        return []
    word = "less" if less > 0 else "more"
    return [f"{abs(100 * less):.0f} % {word} work per {plan.unit}"]


def _rests(plan: Plan) -> list[str]:
    pace = plan.pace
    if pace.target is None:
        return []
    share = _SHARES.get(pace.target, f"{100 * pace.target:.0f} %")
    each = f"each {plan.unit}" if pace.batch == 1 else f"every {pace.batch} {plan.unit}s"
    return [f"{_seconds(pace.delay)} of rest after {each} to use {share} of one processor core"]


def _seconds(delay: float) -> str:
    return f"{1000 * delay:.0f} ms" if delay < 0.0995 else f"{delay:.1f} s"


def _joined(causes: list[str]) -> str:
    text = ", and ".join(causes)
    return text[0].upper() + text[1:]
