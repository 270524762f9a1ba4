"""The simulator: what the page would do if the device were otherwise."""

import json

import host
from decisions import title
from dom import by_id, listen
from suppositions import memory_place, pressure_place, texts, values
from tasks import start

__all__ = ["SupposePanel"]

_OUTPUTS = ("level", "pressure", "memory")


class SupposePanel:
    """Sliders, and the engine's answer to them; nothing of the device is changed."""

    def __init__(self):
        self._device = None
        self._touched = False
        self._asking = False
        self._asked = None  # what the answer that is shown, or on its way, is for
        listen(by_id("suppose"), "input", self._moved)
        listen(by_id("suppose"), "submit", host.prevent)
        listen(by_id("suppose-reset"), "click", self._reset)
        self._show()

    def read(self, device):
        """The device says something new; sliders that nobody moved follow it."""
        self._device = device
        if not self._touched:
            self._follow()

    def update(self):
        """The engine works otherwise now: what it would do may be otherwise, too."""
        self._asked = None
        self._ask()

    def _moved(self, event):
        self._touched = True
        self._show()
        self._ask()

    def _reset(self, event):
        self._touched = False
        by_id("suppose-priority").value = by_id("priority").value
        self._follow()

    def _follow(self):
        device = self._device
        if device:
            level = 1.0 if device.battery_level is None else device.battery_level
            by_id("suppose-level").value = int(100 * level + 0.5)
            by_id("suppose-charging").checked = bool(device.charging)
        by_id("suppose-pressure").value = pressure_place(device)
        by_id("suppose-memory").value = memory_place(device)
        self._show()
        self._ask()

    def _supposed(self):
        return values(
            by_id("suppose-level").value,
            by_id("suppose-charging").checked,
            by_id("suppose-pressure").value,
            by_id("suppose-memory").value,
            by_id("suppose-priority").value,
        )

    def _show(self):
        told = texts(self._supposed())
        for i, name in enumerate(_OUTPUTS):
            text = told[i]
            by_id("suppose-{}-text".format(name)).textContent = text
            by_id("suppose-" + name).setAttribute("aria-valuetext", text)

    def _ask(self):
        if not self._asking:
            start(self._go_on())

    async def _go_on(self):
        """Ask until the answer is for where the sliders are; they move faster than answers come."""
        self._asking = True
        wanted = json.dumps(self._supposed())
        while wanted != self._asked:
            self._asked = wanted
            answer = await host.call("suppose", wanted)
            wanted = json.dumps(self._supposed())
            if answer.ok:
                self._tell(answer.value.strategy, answer.value.reason)
            else:
                self._tell("", answer.message)
        self._asking = False

    def _tell(self, strategy, reason):
        by_id("supposed").setAttribute("data-strategy", strategy)
        by_id("supposed-title").textContent = title(strategy)
        by_id("supposed-reason").textContent = reason
