"""What a browser says of the device, in its own words, as a profile: pure, and believes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from satchel.device import DeviceProfile

__all__ = ["profile_of"]

QUALITIES = {"slow-2g": "slow", "2g": "slow", "3g": "medium", "4g": "fast"}
"""Network qualities by effective type, which holds both speed and delay
(https://wicg.github.io/netinfo/#effective-connection-types)."""

METERED = {"cellular": True, "wifi": False, "ethernet": False}
"""Whether a connection may cost money, by its type; the other types can be either."""

VISIBLE = {"visible": True, "hidden": False}


def profile_of(said: Mapping[str, Any]) -> DeviceProfile:
    """The profile of a browser's words; what is missing or nonsense is None.

    Args:
        said: What there is of `hardwareConcurrency`, `deviceMemory`, `onLine` (of `Navigator`);
            `effectiveType`, `type`, `saveData` (`NetworkInformation`); `level`, `charging`,
            `chargingTime`, `dischargingTime` (`BatteryManager`); `quota`, `usage`
            (`StorageEstimate`); `visibility` (`document.visibilityState`); `pressure` (a
            `PressureRecord`'s state); `gpu` (whether there is an adapter); `isolated` (whether
            memory can be shared).

    >>> profile = profile_of({"onLine": True, "effectiveType": "3g", "level": 0.5, "usage": 1})
    >>> profile.network_quality, profile.battery_level, profile.storage_free
    ('medium', 0.5, None)
    """
    online = said.get("onLine")
    quality = "offline" if online is False else _of(QUALITIES, said.get("effectiveType"))
    profile = DeviceProfile(
        cpu_cores=said.get("hardwareConcurrency"),
        memory_gib=said.get("deviceMemory"),
        has_gpu=said.get("gpu"),
        battery_level=said.get("level"),
        charging=said.get("charging"),
        charging_time=said.get("chargingTime"),
        discharging_time=said.get("dischargingTime"),
        network_quality=quality,
        online=online,
        metered=_of(METERED, said.get("type")),
        save_data=said.get("saveData"),
        pressure=said.get("pressure"),
        visible=_of(VISIBLE, said.get("visibility")),
        isolated=said.get("isolated"),
        storage_free=_left(said.get("quota"), said.get("usage")),
    )
    return replace(profile, battery_powered=_has_battery(profile))


def _of(words: Mapping[str, Any], word: object) -> Any:
    return words.get(word) if isinstance(word, str) else None


def _has_battery(profile: DeviceProfile) -> bool | None:
    """Whether there is a battery: one that is full and charging looks the same as none."""
    level = profile.battery_level
    return True if profile.charging is False or (level is not None and level < 1) else None


def _left(quota: Any, usage: Any) -> int | None:
    held, used = DeviceProfile(storage_free=quota), DeviceProfile(storage_free=usage)
    if held.storage_free is None or used.storage_free is None:
        return None
    return max(0, held.storage_free - used.storage_free)
