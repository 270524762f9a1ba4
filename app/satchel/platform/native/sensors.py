"""What the operating system says of the device; most of it through psutil (extra ``native``)."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from satchel.device import DeviceProfile
from satchel.platform.sensors import Listener, Listeners

__all__ = ["NativeSensors"]

EVERY = 5.0
"""Seconds between two looks while somebody listens: an operating system tells nothing by itself."""


class NativeSensors:
    """The operating system's figures.

    Args:
        directory: Where models are stored; it need not be there yet.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._listeners = Listeners(self.read, self._begin, self._end)
        self._looking: asyncio.Task[None] | None = None

    def listen(self, listener: Listener) -> Callable[[], None]:
        return self._listeners.add(listener)

    async def read(self) -> DeviceProfile:
        online = _online()
        return DeviceProfile(
            cpu_cores=_cores(),
            online=online,
            network_quality="offline" if online is False else None,
            storage_free=_free(self._directory),
            **_memory(),
            **_battery(),
        )

    def _begin(self) -> None:
        self._looking = asyncio.ensure_future(self._look())

    def _end(self) -> None:
        if self._looking is not None:
            self._looking.cancel()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self._listeners.changed()


def _cores() -> int | None:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _free(directory: Path) -> int | None:
    for place in (directory, *directory.parents):
        with suppress(OSError):
            return shutil.disk_usage(place).free
    return None


def _memory() -> dict[str, Any]:
    memory = _asked("virtual_memory")
    if memory is None:
        return {}
    return {"memory_gib": memory.total / 2**30, "memory_available": memory.available}


def _battery() -> dict[str, Any]:
    battery = _asked("sensors_battery")
    if battery is None:
        return {}  # there is none, or nothing is known of it
    plugged = battery.power_plugged
    left = None if plugged or battery.secsleft is None else float(battery.secsleft)
    return {
        "battery_powered": True,
        "battery_level": battery.percent / 100,
        "charging": plugged,
        "discharging_time": left,  # negative where it is not known
    }


def _online() -> bool | None:
    """Whether a network interface is up, beside the one that leads back here."""
    interfaces = list((_asked("net_if_stats") or {}).values())
    if not all(stats.flags for stats in interfaces) or not interfaces:
        return None  # Windows doesn't say which one leads back
    return any(stats.isup and "loopback" not in stats.flags.split(",") for stats in interfaces)


def _asked(name: str) -> Any:
    """What psutil says; None where it isn't installed, or can't say it here."""
    try:
        import psutil  # type: ignore[import-untyped]
    except ImportError:
        return None
    ask = getattr(psutil, name, None)
    try:
        return ask and ask()
    except (OSError, RuntimeError, NotImplementedError, psutil.Error):
        return None
