"""The Device view: what the device says, what is done because of it, and what people want done."""

import host
from charts import TimesPanel
from dom import by_id, el, show
from effort import EffortPanel
from readings import rows
from supposing import SupposePanel

__all__ = ["DeviceView"]

# Titles of the sections about what is decided.
_OF_DECISIONS = ("effort-title", "choice-title", "suppose-title", "efforts-title")


class DeviceView:
    """All of the view.

    Args:
        unit: What one answer is about: "photo".
        adapts: Whether anything is decided here.
    """

    def __init__(self, unit, adapts):
        self._readings = Readings()
        self._effort = EffortPanel(unit)
        self._times = TimesPanel()
        self._suppose = SupposePanel()
        host.keepTimes(by_id("view-device"))
        for title in _OF_DECISIONS:
            show(by_id(title).closest("section"), adapts)

    def read(self, device):
        """Show a reading.

        Args:
            device: The engine's facts about the device.
        """
        self._readings.update(device)
        self._suppose.read(device)

    def adapted(self, facts):
        """Show how the engine works now, and why.

        Args:
            facts: The engine's, see docs/ARCHITECTURE.md.
        """
        self._effort.update(facts)
        self._suppose.update()

    def timed(self, times, unit):
        """Show how long answers took.

        Args:
            times: Of `times.Times`.
            unit: What one of them is about.
        """
        self._times.update(times, unit)


class Readings:
    """What the device says of itself, as it changes."""

    def __init__(self):
        self._places = {}

    def update(self, device):
        """Show a reading."""
        for key, name, text, told in rows(device):
            place = self._places.get(key)
            if not place:
                place = self._places[key] = el("dd", data_reading=key)
                by_id("device-readings").append(el("dt", name), place)
            if place.textContent != text:
                place.textContent = text
            place.toggleAttribute("data-unsaid", not told)
        show(by_id("device-card"))
