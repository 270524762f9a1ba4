"""The card of the device: what it says of itself, as it changes."""

import host
from dom import by_id, el, show
from readings import rows

__all__ = ["DevicePanel"]


class DevicePanel:
    """Shows the readings that the engine takes."""

    def __init__(self):
        self._places = {}

    def update(self, device):
        """Show a reading.

        Args:
            device: The engine's facts about the device.
        """
        for key, name, text, told in rows(host.plain(device)):
            place = self._places.get(key)
            if not place:
                place = self._places[key] = el("dd", data_reading=key)
                by_id("device-readings").append(el("dt", name), place)
            if place.textContent != text:
                place.textContent = text
            place.toggleAttribute("data-unsaid", not told)
        show(by_id("device-card"))
