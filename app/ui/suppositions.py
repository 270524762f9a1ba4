"""What somebody supposes of the device: what the sliders stand for. Pure: it runs on any Python."""

__all__ = ["MEMORY", "PRESSURE", "memory_place", "pressure_place", "texts", "values"]

PRESSURE = ("nominal", "fair", "serious", "critical")
MEMORY = (0.25, 0.5, 1, 2, 4, 8)  # GiB: the steps in which browsers tell it

_LOAD = ("calm", "busy", "very busy", "at its limit")


def values(level, charging, pressure, memory, priority):
    """What is supposed, as the engine takes it.

    Args:
        level: Charge in percent, as its slider has it.
        charging: Whether it is charging.
        pressure: Place in `PRESSURE`.
        memory: Place in `MEMORY`.
        priority: What matters most.
    """
    return {
        "battery_level": int(level) / 100,
        "charging": bool(charging),
        "pressure": PRESSURE[int(pressure)],
        "memory_gib": MEMORY[int(memory)],
        "priority": priority,
    }


def texts(supposed):
    """What each slider says: (battery, pressure, memory)."""
    gib = supposed["memory_gib"]
    return (
        "{:.0f} %".format(100 * supposed["battery_level"]),
        _LOAD[PRESSURE.index(supposed["pressure"])],
        "{} GB or more".format(gib) if gib == MEMORY[-1] else "{} GB".format(gib),
    )


def pressure_place(device):
    """Where the pressure's slider stands for this device."""
    return PRESSURE.index(device.pressure) if device and device.pressure in PRESSURE else 0


def memory_place(device):
    """Where the memory's slider stands for this device; a device that doesn't say has enough."""
    gib = device.memory_gib if device else None
    if gib is None:
        return len(MEMORY) - 1
    return max(0, sum(1 for step in MEMORY if step <= gib) - 1)
