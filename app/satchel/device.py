"""What the device can do, and how it feels right now."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["NETWORKS", "PRESSURES", "DeviceProfile"]

NETWORKS = ("offline", "slow", "medium", "fast")
"""Network qualities, worst first: of effective types slow-2g and 2g, 3g, 4g
(https://wicg.github.io/netinfo/#effective-connection-types)."""

PRESSURES = ("nominal", "fair", "serious", "critical")
"""States of the processor, calmest first
(https://www.w3.org/TR/compute-pressure/#pressure-states)."""

MOST_CORES = 4096
"""A platform that names more cores than the largest machines have says nonsense."""

MOST_BYTES = 2**60
"""A platform that names an exbibyte says nonsense."""

MOST_SECONDS = 30 * 24 * 60 * 60
"""No battery takes longer than a month."""


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """One reading of a device. A value is None where the platform does not say.

    Whatever a platform says can be given: nonsense (NaN, a battery level of 3.0, −1 cores, a word
    that nobody knows) becomes None, so that a profile holds nothing but what can be true.

    Attributes:
        cpu_cores: Logical processors, 1 or more.
        memory_gib: Memory of the whole device in GiB; browsers give it coarsely, and at most 8.
        memory_available: Bytes that are free; None in browsers.
        has_gpu: Whether there is a GPU that pages may use.
        battery_powered: Whether there is a battery that the device can run on.
        battery_level: Charge, from 0 to 1.
        charging: Whether it is charging, or on mains with a full battery.
        charging_time: Seconds until it is full, while it is charging.
        discharging_time: Seconds until it is empty, while it is not.
        network_quality: One of `NETWORKS`.
        online: Whether there is a network.
        metered: Whether the connection may cost money.
        save_data: Whether the person asked for little traffic.
        pressure: One of `PRESSURES`.
        visible: Whether the page can be seen.
        isolated: Whether the page is cross-origin isolated, so that WASM may have threads.
        storage_free: Bytes that may still be stored.

    >>> DeviceProfile(cpu_cores=7, battery_level=3.0, memory_gib=float("nan"), pressure="hot")
    ... # doctest: +ELLIPSIS
    DeviceProfile(cpu_cores=7, memory_gib=None, ...battery_level=None, ...pressure=None, ...)
    """

    cpu_cores: int | None = None
    memory_gib: float | None = None
    memory_available: int | None = None
    has_gpu: bool | None = None
    battery_powered: bool | None = None
    battery_level: float | None = None
    charging: bool | None = None
    charging_time: float | None = None
    discharging_time: float | None = None
    network_quality: str | None = None
    online: bool | None = None
    metered: bool | None = None
    save_data: bool | None = None
    pressure: str | None = None
    visible: bool | None = None
    isolated: bool | None = None
    storage_free: int | None = None

    def __post_init__(self) -> None:
        said = {item.name: getattr(self, item.name) for item in fields(self)}
        clean: dict[str, object] = {
            name: value if isinstance(value, bool) else None for name, value in said.items()
        }
        clean["cpu_cores"] = _whole(said["cpu_cores"], 1, MOST_CORES)
        clean["memory_gib"] = _number(said["memory_gib"], 2**-10, MOST_BYTES / 2**30)
        clean["memory_available"] = _whole(said["memory_available"], 0, MOST_BYTES)
        clean["storage_free"] = _whole(said["storage_free"], 0, MOST_BYTES)
        clean["battery_level"] = _number(said["battery_level"], 0, 1)
        clean["charging_time"] = _number(said["charging_time"], 0, MOST_SECONDS)
        clean["discharging_time"] = _number(said["discharging_time"], 0, MOST_SECONDS)
        clean["network_quality"] = _word(said["network_quality"], NETWORKS)
        clean["pressure"] = _word(said["pressure"], PRESSURES)
        for name, value in clean.items():
            object.__setattr__(self, name, value)

    @classmethod
    async def read(cls) -> DeviceProfile:
        """What the device says right now.

        To follow its changes, and its processor's pressure, which takes seconds to be known, listen
        to `satchel.platform.current().sensors`.
        """
        from satchel.platform import current

        return await current().sensors.read()

    @property
    def costly(self) -> bool:
        """Whether bytes should not be fetched unasked."""
        return bool(self.metered or self.save_data)


def _number(value: object, lowest: float, highest: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if lowest <= value <= highest else None  # which no NaN is


def _whole(value: object, lowest: int, highest: int) -> int | None:
    number = _number(value, lowest, highest)
    return int(number) if number is not None and number == int(number) else None


def _word(value: object, known: tuple[str, ...]) -> str | None:
    return value if isinstance(value, str) and value in known else None
