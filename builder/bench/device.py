"""The built page on a device whose battery and processor are in the benchmark's hands.

Real levers only: UPower on a bus of its own (`builder.power`) for the battery, and DevTools'
override of Compute Pressure (https://www.w3.org/TR/compute-pressure/).
"""

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Error, Page

from builder import lab, power, processes
from builder.bench.modes import CALM, MODES, Mode, State, Way
from builder.errors import BuildError

PATIENCE = 90.0
"""Seconds in which the page has to notice a state: three times what calm after pressure lasts."""

LOOK_MS = 250
"""Between two looks whether it has."""

SAMPLE = "/photos/chelsea.jpg"
"""A photo, of what is mounted."""

WARM_UP = 100
"""Photos at most until what a way needs is loaded."""

SOURCE = {"source": "cpu", "enabled": True, "metadata": {"available": True}}

PYTHON = "(code) => pyodide.runPythonAsync(code)"


@contextmanager
def opened(folder: Path, mounts: Mapping[str, Path]) -> Iterator["Device"]:
    """Open a built site on such a device, calm and charging, for as long as the block runs.

    Args:
        folder: The site.
        mounts: More folders, by path.

    Raises:
        BuildError: This machine lacks what the battery needs.
    """
    with power.supplied() as supply:
        supply.battery(CALM.percent, charging=CALM.charging)
        environment = supply.environment
        with lab.opened(
            folder, mounts=mounts, service_workers=False, environment=environment
        ) as page:
            address = page.url
            page.goto("about:blank")  # the lever is needed before anything observes pressure
            levers = page.context.new_cdp_session(page)
            levers.send("Emulation.setPressureSourceOverrideEnabled", SOURCE)
            page.goto(address)
            try:
                yield Device(page, levers, supply)
            finally:
                with suppress(Error):  # what went wrong before is worth more
                    page.goto("about:blank")  # Chromium 156 breaks down over an observer otherwise
                    levers.send(
                        "Emulation.setPressureSourceOverrideEnabled", {**SOURCE, "enabled": False}
                    )


class Device:
    """The page, and the levers.

    Args:
        page: At the site.
        levers: DevTools of the page.
        supply: The battery.
    """

    def __init__(self, page: Page, levers: CDPSession, supply: power.Power) -> None:
        self.page = page
        self._levers = levers
        self._power = supply
        browser = page.context.browser
        if browser is None:
            raise BuildError("The page has no browser.")
        self._processes = browser.new_browser_cdp_session()

    def be(self, state: State) -> None:
        """Be in a state, and wait until the page has noticed; it follows the device then.

        Raises:
            BuildError: It doesn't notice.
        """
        self._power.battery(state.percent, charging=state.charging)
        pressure = {"source": "cpu", "state": state.pressure}
        self._levers.send("Emulation.setPressureStateOverride", pressure)
        end = time.monotonic() + PATIENCE
        while True:
            told = self.follow("balanced")
            if told["strategy"] == state.strategy and told["reason"].startswith(state.says):
                return
            if time.monotonic() > end:
                raise BuildError(
                    f"With {state.words} the page is to say “{state.says} …”, but after "
                    f"{PATIENCE:g} s it still says “{told['reason']}”"
                )
            self.page.wait_for_timeout(LOOK_MS)

    def follow(self, priority: str) -> dict[str, Any]:
        """Let the device's state decide; return the page's decision."""
        return self._adapt("", priority)

    def insist(self, mode: Mode) -> dict[str, Any]:
        """Insist on a mode; return the page's decision."""
        return self._adapt(mode.override, mode.priority)

    def ways(self) -> dict[str, Way]:
        """What runs in each of `MODES`, which holds at once, and is loaded by the end of this."""
        found = {}
        for name, mode in MODES.items():
            found[name] = Way.of(self.insist(mode))
            self.warm(found[name])
        return found

    def warm(self, way: Way) -> None:
        """Have loaded what a way needs."""
        self.run("warm(...given)", asdict(way), SAMPLE, WARM_UP)

    def run(self, expression: str, *given: Any) -> Any:
        """Evaluate an expression over what adaptive.mjs gives, and `given`."""
        names = "{ warm, turn, answers, until, Line }"
        return self.page.evaluate(
            f"async (given) => {{ const {names} = await import('/bench/adaptive.mjs');"
            f" return {expression}; }}",
            list(given),
        )

    def python(self, code: str) -> Any:
        """Run Python in the page's engine, and return what its last line gives."""
        workers = [one for one in self.page.workers if "engine.worker" in one.url]
        if len(workers) != 1:
            raise BuildError(f"One worker with Python was expected; there are {len(workers)}.")
        return workers[0].evaluate(PYTHON, code)

    def cpu_seconds(self) -> float:
        """Processor time so far of the page's process, with all of its workers and threads."""
        return processes.renderer_seconds(self._processes)

    def pin(self, cores: Collection[int]) -> None:
        """Let the page's process run on these cores alone."""
        processes.pin_renderers(self._processes, cores)

    def _adapt(self, override: str, priority: str) -> dict[str, Any]:
        told: dict[str, Any] | None = lab.call(self.page, "adapt", override, priority)
        if told is None:
            raise BuildError("The page decided nothing: it has no model that can be adapted.")
        return told
