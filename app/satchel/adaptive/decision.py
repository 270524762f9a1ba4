"""How hard to work now: a pure function of the device, what is wanted, what can be run, and time.

Four conditions change how work is done, each with hysteresis (`conditions`): a low battery and
small memory make the work lighter, pressure and slowness give it rests. Rests change when answers
come, not what they are; lighter work changes which variant answers, within accuracy floors
(`selection`). What a person insists on wins over all of it. docs/adaptation.md has the table.
"""

from __future__ import annotations

from collections.abc import Sequence

from satchel.adaptive.conditions import Mode, State, followed
from satchel.adaptive.latencies import Latencies
from satchel.adaptive.limits import BESIDE, CPU_TARGETS, LATENCY_UNKNOWN, THREADS_MOST
from satchel.adaptive.option import Decision, Option, Override, Priority, Strategy
from satchel.adaptive.pace import Pace, batch_within, rest
from satchel.adaptive.selection import chosen, figure
from satchel.adaptive.sentences import Plan, notes, reason
from satchel.device import DeviceProfile

__all__ = ["decide"]


def decide(
    profile: DeviceProfile,
    priority: Priority,
    options: Sequence[Option],
    *,
    latencies: Latencies,
    queue: int,
    override: Override | None = None,
    before: State | None = None,
    now: float,
    threads: int | None = None,
    own: float | None = None,
    unit: str = "answer",
) -> tuple[Decision, State]:
    """Decide how to work, and what to remember for the next decision.

    Nothing but the arguments counts, and nothing that a sensor says or doesn't say raises.

    Args:
        profile: How the device is.
        priority: What matters most to whoever asks.
        options: What can be run, the maker's best first; empty for a bare runtime, of which only
            threads and pace are decided.
        latencies: How long answers took here.
        queue: How many requests wait, that which is decided for among them.
        override: What the person insists on; None: what the device's state asks for.
        before: What the decision before gave; None: there was none.
        now: Seconds, by any monotonic clock.
        threads: What measures best on this device; None: nobody tried.
        own: Processor cores that the own work took of late (`satchel.adaptive.use`); None: nobody
            knows. On mains it is no reason to rest that one's own work makes the processor busy.
        unit: What one answer is about, for the sentence: "photo".

    Example::

        decision, state = decide(
            profile, "balanced", options, latencies=latencies, queue=3, before=state, now=clock()
        )
    """
    state = followed(before, profile, slow=latencies.slow, now=now, own=own)
    mode = state.mode
    strategy = override or _strategy(mode, priority)
    lighter = _lighter(mode, priority, override)
    choice = chosen(options, priority, lighter=lighter, budget=mode.budget)
    option = choice.option if choice else None
    width = _threads(mode, threads) if strategy == "full" else 1
    pace = _pace(strategy, mode, latencies, option, queue)
    spared = strategy != "full" or lighter
    plan = Plan(strategy, priority, override, choice, width, pace, unit)
    decision = Decision(
        strategy=strategy,
        variant=option.variant if option else None,
        engine=option.engine if option else None,
        threads=width,
        batch=pace.batch,
        delay=pace.delay,
        resolution=option.resolution if option else None,
        reason=reason(plan, profile, mode, latencies.ratio),
        cpu_target=pace.target,
        extras=not spared,
        ahead=not spared and profile.visible is not False,
        downloads=not (profile.costly or mode.low_battery or profile.online is False),
        notes=notes(profile, spared=spared),
    )
    return decision, state


def _strategy(mode: Mode, priority: Priority) -> Strategy:
    if mode.pressure or mode.slow:
        return "throttled"
    if mode.low_battery or mode.small or priority == "energy":
        return "lightweight"
    return "full"


def _lighter(mode: Mode, priority: Priority, override: Override | None) -> bool:
    if override in ("full", "lightweight"):
        return override == "lightweight"
    return mode.low_battery or mode.small or priority == "energy"


def _threads(mode: Mode, best: int | None) -> int:
    """What measures best, or else as many as help; never more than there are cores."""
    cores = mode.cores or best or 1
    return max(1, min(best or THREADS_MOST, cores))


def _pace(
    strategy: Strategy, mode: Mode, latencies: Latencies, option: Option | None, queue: int
) -> Pace:
    if strategy != "throttled":
        return Pace()
    target = CPU_TARGETS[mode.pressure or "serious"]
    each = latencies.seconds(option) or _reported(option) or LATENCY_UNKNOWN
    batch = batch_within(queue, each * BESIDE, target)
    return Pace(batch, rest(batch * each, target, cores=BESIDE), target)


def _reported(option: Option | None) -> float | None:
    """Seconds of one answer on one thread by the option's report."""
    milliseconds = figure(option.latency_ms) if option else None
    if milliseconds is not None:
        return milliseconds / 1000
    return figure(option.cpu_seconds) if option else None
