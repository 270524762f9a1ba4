"""What of a device's state changes how work is done: readings become conditions that hold on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from satchel.adaptive.hysteresis import Latch, Settled
from satchel.adaptive.limits import (
    BATTERY_CALM,
    BATTERY_LOW,
    BATTERY_WELL,
    COOL_CALM,
    DWELL,
    MODELS_SHARE,
    OWN_LOAD,
    SMALL_MEMORY,
)
from satchel.device import DeviceProfile

__all__ = ["Mode", "State", "followed", "low", "model_budget", "small"]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the device has of memory, coarsely.

    Attributes:
        small: Whether that is little.
        budget: Bytes that loaded models may take together, as a power of two, rounded down; None:
            no limit is known.
    """

    small: bool
    budget: int | None


@dataclass(frozen=True, slots=True)
class Mode:
    """The conditions in force.

    Attributes:
        low_battery: The battery is low.
        pressure: "serious" or "critical"; None: neither.
        slow: Answers take longer than they do here at the same work.
        memory: What the device has of it.
        cores: Logical processors that threads can use; None where nothing says.
    """

    low_battery: bool = False
    pressure: str | None = None
    slow: bool = False
    memory: Memory | None = None
    cores: int | None = None

    @property
    def small(self) -> bool:
        """Whether the device has little memory."""
        return self.memory is not None and self.memory.small

    @property
    def budget(self) -> int | None:
        """Bytes of memory that loaded models may take together; None: no limit is known."""
        return self.memory.budget if self.memory else None


@dataclass(frozen=True, slots=True)
class State:
    """What decisions remember.

    Attributes:
        mode: The conditions in force.
        changed: When they last changed; None: not yet.
        battery: Of a low battery.
        serious: Of pressure that is serious or worse.
        critical: Of critical pressure.
        slow: Of answers that take longer.
        memory: What the device has of it.
        cores: Logical processors that threads can use.
    """

    mode: Mode = Mode()
    changed: float | None = None
    battery: Latch = field(default_factory=Latch)
    serious: Latch = field(default_factory=Latch)
    critical: Latch = field(default_factory=Latch)
    slow: Latch = field(default_factory=Latch)
    memory: Settled[Memory] = field(default_factory=Settled)
    cores: Settled[int] = field(default_factory=Settled)

    @property
    def changing(self) -> bool:
        """Whether other conditions are about to be in force, once they have held for long enough.

        Time alone brings them then: whoever follows the device has to look again.
        """
        believed = self.memory.other is None and self.cores.other is None
        return not believed or _mode(self) != self.mode


def low(profile: DeviceProfile) -> bool:
    """Whether the battery is low, and not charging."""
    return _discharging_to(profile, BATTERY_LOW)


def small(profile: DeviceProfile) -> bool:
    """Whether the device has little memory."""
    return profile.memory_gib is not None and profile.memory_gib <= SMALL_MEMORY


def model_budget(profile: DeviceProfile) -> int | None:
    """Bytes of memory that loaded models may take together; None where nothing says."""
    limits = []
    if profile.memory_gib is not None and small(profile):
        limits.append(int(profile.memory_gib * 2**30 * MODELS_SHARE))
    if profile.memory_available is not None:
        limits.append(profile.memory_available // 2)
    return min(limits, default=None)


def followed(
    before: State | None,
    profile: DeviceProfile,
    *,
    slow: bool,
    now: float,
    own: float | None = None,
) -> State:
    """The state after one reading.

    Args:
        before: The state before it; None: this is the first one.
        profile: The reading.
        slow: Whether answers take longer than they do here at the same work.
        now: Its time in seconds, by any monotonic clock.
        own: Processor cores that the own work took of late; None: nobody knows.
    """
    state = before or State()
    now = now if math.isfinite(now) else (state.changed or 0.0)
    pressed = profile.pressure in ("serious", "critical") and not _self_made(profile, own)
    critical = pressed and profile.pressure == "critical"
    state = replace(
        state,
        battery=state.battery.fed(
            enter=low(profile),
            hold=_discharging_to(profile, BATTERY_WELL, below=True),
            calm=BATTERY_CALM,
            now=now,
        ),
        serious=state.serious.fed(enter=pressed, hold=pressed, calm=COOL_CALM, now=now),
        critical=state.critical.fed(enter=critical, hold=critical, calm=COOL_CALM, now=now),
        slow=state.slow.fed(enter=slow, hold=slow, calm=COOL_CALM, now=now),
        memory=state.memory.fed(_memory(profile), calm=DWELL, now=now),
        cores=state.cores.fed(_cores(profile), calm=DWELL, now=now),
    )
    mode = _mode(state)
    if before is None:
        return replace(state, mode=mode)
    if mode == state.mode or _lately(state, now):
        return state
    return replace(state, mode=mode, changed=now)


def _self_made(profile: DeviceProfile, own: float | None) -> bool:
    """Whether it is what the person waits for that makes the processor busy, and it may.

    On mains alone: on a battery, busy is what drains it. Heat is told apart from it by answers that
    take longer.
    """
    if own is None or profile.cpu_cores is None:
        return False
    mains = profile.charging is True or profile.battery_powered is False
    return mains and own >= OWN_LOAD * profile.cpu_cores


def _mode(state: State) -> Mode:
    pressure = "critical" if state.critical.on else "serious" if state.serious.on else None
    return Mode(state.battery.on, pressure, state.slow.on, state.memory.value, state.cores.value)


def _cores(profile: DeviceProfile) -> int | None:
    return 1 if profile.isolated is False else profile.cpu_cores


def _memory(profile: DeviceProfile) -> Memory | None:
    budget = model_budget(profile)
    if budget is None and profile.memory_gib is None:
        return None
    # Coarsely, since what is free changes all the time: only a change by about half is one.
    return Memory(small(profile), budget and 1 << (budget.bit_length() - 1))


def _lately(state: State, now: float) -> bool:
    return state.changed is not None and 0 <= now - state.changed < DWELL


def _discharging_to(profile: DeviceProfile, limit: float, *, below: bool = False) -> bool:
    level = profile.battery_level
    if level is None or profile.charging or profile.battery_powered is False:
        return False
    return level < limit if below else level <= limit
