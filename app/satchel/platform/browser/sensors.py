"""The sensors that browsers have: battery, network, processor, memory, storage, GPU, visibility.

A worker sees less than its page's main thread: `tell` takes what that one says. Any of it may be
missing, refuse or never answer, which is all the same here: it is not said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import js
from pyodide.ffi import JsException, JsProxy, create_proxy

from satchel.device import DeviceProfile
from satchel.platform.browser.host import options
from satchel.platform.navigator import profile_of
from satchel.platform.sensors import Listener, Listeners

__all__ = ["BrowserSensors"]

PATIENCE = 2.0
"""Seconds that the browser has for one answer; a GPU may have to wake up."""

PRESSURE_MS = 2000
"""Between two looks at the processor."""

_NAVIGATOR = ("hardwareConcurrency", "deviceMemory", "onLine")
_NETWORK = ("effectiveType", "type", "saveData")
_BATTERY = ("level", "charging", "chargingTime", "dischargingTime")
_STORAGE = ("quota", "usage")


class BrowserSensors:
    """What this thread of the browser sees of the device, and what another one tells."""

    def __init__(self) -> None:
        self._listeners = Listeners(self.read, self._begin, self._end)
        # Lasting: an event may be on its way when nobody listens any more.
        self._changed = create_proxy(lambda *_: self._listeners.changed())
        self._pressed = create_proxy(self._hear_pressure)
        self._told: dict[str, Any] = {}
        self._pressure: str | None = None
        self._gpu: bool | None = None
        self._heard: list[tuple[Any, str]] = []
        self._observer: Any = None
        self._beginning: asyncio.Task[None] | None = None

    def listen(self, listener: Listener) -> Callable[[], None]:
        return self._listeners.add(listener)

    async def read(self) -> DeviceProfile:
        navigator = js.navigator
        battery, storage, gpu = await asyncio.gather(
            _asked(navigator, "getBattery"),
            _asked(_get(navigator, "storage"), "estimate"),
            self._has_gpu(),
        )
        said = {
            **_read(navigator, _NAVIGATOR),
            **_read(_get(navigator, "connection"), _NETWORK),
            **_read(battery, _BATTERY),
            **_read(storage, _STORAGE),
            "visibility": _get(_get(js, "document"), "visibilityState"),
            "gpu": gpu,
            "pressure": self._pressure,
            "isolated": _isolated(),
        }
        return profile_of(said | self._told)

    def tell(self, said: Mapping[str, Any]) -> None:
        """Take what another thread sees, which counts for more than what this one does.

        Args:
            said: In the words of `satchel.platform.navigator`.
        """
        self._told = dict(said)
        self._listeners.changed()

    # ---- events

    def _begin(self) -> None:
        for event in ("online", "offline"):
            self._hear(js, event)
        self._hear(_get(js, "document"), "visibilitychange")
        self._hear(_get(js.navigator, "connection"), "change")
        self._beginning = asyncio.ensure_future(self._begin_slow_ones())

    async def _begin_slow_ones(self) -> None:
        battery = await _asked(js.navigator, "getBattery")
        for name in _BATTERY:
            self._hear(battery, f"{name.lower()}change")
        kind = _get(js, "PressureObserver")
        if kind is not None:
            self._observer = kind.new(self._pressed)
            await _asked(self._observer, "observe", "cpu", options(sampleInterval=PRESSURE_MS))

    def _end(self) -> None:
        if self._beginning is not None:
            self._beginning.cancel()
        for target, event in self._heard:
            target.removeEventListener(event, self._changed)
        self._heard.clear()
        if self._observer is not None:
            self._observer.disconnect()
        self._observer = self._pressure = None

    def _hear(self, target: Any, event: str) -> None:
        if target is not None:
            target.addEventListener(event, self._changed)
            self._heard.append((target, event))

    def _hear_pressure(self, records: Any, _: Any) -> None:
        self._pressure = records[len(records) - 1].state
        self._listeners.changed()

    async def _has_gpu(self) -> bool | None:
        gpu = _get(js.navigator, "gpu")
        if self._gpu is None and gpu is not None:
            # A device may have two: the one that takes less is enough to know.
            power = options(powerPreference="low-power")
            with suppress(JsException, TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    adapter = await gpu.requestAdapter(power)
                # None or JavaScript's null, by Pyodide's version: there is none.
                self._gpu = isinstance(adapter, JsProxy) and not _get(
                    _get(adapter, "info"), "isFallbackAdapter"
                )
        return self._gpu


def _isolated() -> bool:
    # WebKitGTK says that it is isolated and has no shared memory all the same.
    return bool(_get(js, "crossOriginIsolated")) and _get(js, "SharedArrayBuffer") is not None


def _get(thing: Any, name: str) -> Any:
    """An attribute; None where it is missing or refused."""
    try:
        return getattr(thing, name, None)
    except JsException:
        return None


def _read(thing: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _get(thing, name) for name in names}


async def _asked(thing: Any, name: str, *given: Any) -> Any:
    """What a promise gives; None where it is missing or refused, or nothing comes."""
    method = _get(thing, name)
    if method is None:
        return None
    try:
        async with asyncio.timeout(PATIENCE):
            return await method(*given)
    except (JsException, TimeoutError):
        return None
