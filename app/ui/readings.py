"""What the device says of itself, as a person would say it. Pure: it runs on any Python."""

from words import count

__all__ = ["rows"]

UNSAID = "not told by this browser"

_LOAD = {
    "nominal": "Calm",
    "fair": "Busy",
    "serious": "Very busy",
    "critical": "At its limit",
}
_NETWORK = {"offline": "Offline", "slow": "Slow", "medium": "Medium", "fast": "Fast"}
_MOST_MEMORY = 8  # GB; browsers tell no more than that, lest a device be recognised by it


def rows(device):
    """Say what there is to say.

    Args:
        device: The engine's facts about the device.

    Returns:
        A list of (key, name, text, whether it is told), always of the same keys.
    """
    told = (
        ("power", "Power", _power(device)),
        ("processor", "Processor", _processor(device.cpu_cores)),
        ("load", "Processor’s load", _LOAD.get(device.pressure)),
        ("memory", "Memory", _memory(device.memory_gib)),
        ("graphics", "Graphics chip", _graphics(device.has_gpu)),
        ("network", "Network", _network(device)),
        ("storage", "Room for this page", device.storage_free_text),
    )
    return [
        (key, name, text or _unsaid(key), text is not None and text != "")
        for key, name, text in told
    ]


def _unsaid(key):
    # Where it can be measured at all, it takes some seconds.
    return "not told so far" if key == "load" else UNSAID


def _power(device):
    if device.charging is None and device.battery_level is None:
        return None
    if device.charging and not device.battery_powered:
        return "On mains"
    parts = []
    if device.battery_level is not None:
        parts.append("{:.0f} %".format(100 * device.battery_level))
    if device.charging is not None:
        parts.append("charging" if device.charging else "not charging")
    if device.charging and device.charging_time:
        parts.append("full in {}".format(_time(device.charging_time)))
    elif not device.charging and device.discharging_time:
        parts.append("{} left".format(_time(device.discharging_time)))
    text = ", ".join(parts)
    return text[0].upper() + text[1:]


def _time(seconds):
    minutes = max(1, int(seconds / 60 + 0.5))
    if minutes < 100:
        return count(minutes, "minute", "minutes")
    return count(int(minutes / 60 + 0.5), "hour", "hours")


def _processor(cores):
    return None if cores is None else count(cores, "core", "cores")


def _memory(gib):
    if gib is None:
        return None
    if gib >= _MOST_MEMORY:
        return "{} GB or more".format(int(gib))
    return "about {} GB".format(gib if gib < 1 else int(gib))


def _graphics(has_gpu):
    if has_gpu is None:
        return None
    return "Usable" if has_gpu else "None that pages can use"


def _network(device):
    text = _NETWORK.get(device.network_quality)
    if text is None and device.online is not None:
        text = "Online" if device.online else "Offline"
    if text is None or text == "Offline":
        return text
    if device.metered:
        text += ", may cost money"
    if device.save_data:
        text += ", sparing data"
    return text
