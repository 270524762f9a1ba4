"""Whether the page notices by itself that others make the machine busy, and that it is over.

For `bench adaptive`. No pressure is told of meanwhile: latencies alone show it.
"""

import os
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

TIMES = 3
USUAL = 60
"""Answers before others make the machine busy: the page then knows what is usual."""

MOST = 300
"""Answers after which slowness counts as not noticed."""

EACH_CORE = 2
"""Processes that make it busy: with one, answers take 1.4 times as long, which is hardly slow."""

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
        BuildError: It never notices one of them.
    """
    device.be(CALM)
    noticed, over = [], []
    for _ in range(times):
        way = Way.of(device.follow("balanced"))
        device.warm(way)
        device.run("turn(...given)", asdict(way), USUAL)
        with _others():
            noticed.append(device.run("until(...given)", SLOW, way.resolution, MOST))
        ended = time.monotonic()
        while device.run("until(...given)", WELL, way.resolution, FEW) is None:
            if time.monotonic() - ended > OVER_SECONDS:
                raise BuildError(f"{OVER_SECONDS} s later the page still works with rests.")
        over.append(time.monotonic() - ended)
    found = [answers for answers in noticed if answers is not None]
    if not found:
        raise BuildError(f"In {MOST} answers the page never noticed that they take longer.")
    report.figure("slowness.found", len(found) / times, "fraction")
    report.figure("slowness.answers", max(found), "answers")
    report.figure("slowness.over", max(over), "s")


@contextmanager
def _others() -> Iterator[None]:
    """Processes that keep all cores busy, and end with this."""
    command = [sys.executable, "-c", "while True: pass"]
    busy = [subprocess.Popen(command) for _ in range(EACH_CORE * (os.cpu_count() or 1))]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()
