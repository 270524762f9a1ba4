"""Whether the page notices by itself that others make the machine busy, and that it is over.

For `bench adaptive`. No pressure is told of meanwhile: latencies alone show it.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from builder.bench.device import Device
from builder.bench.modes import CALM, Way
from builder.errors import BuildError
from builder.report import Report
from satchel.adaptive.limits import DWELL

TIMES = 3
USUAL = 60
"""Answers before others make the machine busy: the page then knows what is usual."""

MOST = 300
"""Answers after which slowness counts as not noticed."""

OTHERS = 2
"""Processes that make it busy. Spread over all cores they hardly slow a browser down, whose
processes Linux favours: so they and the page share one core."""

FEW = 16
"""Answers between two looks at the clock."""

SLOW = "Answers take"
"""What the page says of it; and when it is over:"""
WELL = "Nothing holds this device back"

OVER_SECONDS = 240
"""Within which it has to be over, after the others have gone."""


def measure(device: Device, report: Report, times: int) -> None:
    """Make the machine busy, and count the answers until the page notices, and that it is over.

    Raises:
        BuildError: It never notices that it is over.
    """
    device.be(CALM)
    found, over, slower = [], [], []
    for _ in range(times):
        way = Way.of(device.follow("balanced"))
        device.warm(way)
        usual = device.run("turn(...given)", asdict(way), USUAL)
        with _others(device):
            noticed, took = device.run("until(...given)", SLOW, way.resolution, MOST)
        if noticed:
            found.append(len(took))
        slower.append(statistics.median(took) / statistics.median(usual))
        ended = time.monotonic()
        while not device.run("until(...given)", WELL, way.resolution, FEW)[0]:
            if time.monotonic() - ended > OVER_SECONDS:
                raise BuildError(f"{OVER_SECONDS} s later the page still works with rests.")
        over.append(time.monotonic() - ended)
        time.sleep(DWELL)  # so soon after a change nothing else is changed
    report.figure("slowness.found", len(found) / times, "fraction")
    report.figure("slowness.times", min(slower), "times")
    if found:
        report.figure("slowness.answers", max(found), "answers")
    report.figure("slowness.over", max(over), "s")


@contextmanager
def _others(device: Device) -> Iterator[None]:
    """Other processes take one core, and the page has to make do with a share of it."""
    cores = os.sched_getaffinity(0)
    one = {min(cores)}
    command = [sys.executable, "-c", f"import os; os.sched_setaffinity(0, {one})\nwhile True: pass"]
    # Each in a session of its own, else Linux gives all of them together the browser's share.
    busy = [subprocess.Popen(command, start_new_session=True) for _ in range(OTHERS)]
    try:
        device.pin(one)
        yield
    finally:
        device.pin(cores)
        for process in busy:
            process.kill()
            process.wait()
