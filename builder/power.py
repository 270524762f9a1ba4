"""A battery that a browser believes in: UPower, imitated on a system bus of its own.

For benchmarks and tests, which have to empty it. Chromium on Linux asks UPower
(https://upower.freedesktop.org) on the bus that the variable DBUS_SYSTEM_BUS_ADDRESS names.
python3-dbusmock (https://github.com/martinpitt/python-dbusmock) plays it; both it and dbus are
Debian packages, which `.ci/run` installs.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from builder.errors import BuildError

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

BATTERY, CHARGING, DISCHARGING = 2, 1, 2
"""UPower's numbers for a type of device, and for two of its states."""

SECONDS = 20


class Power:
    """A device's power supply, in somebody's hands.

    Attributes:
        environment: What a browser has to be started with, beside its own.
    """

    def __init__(self, folder: Path) -> None:
        """Start the bus and UPower in it, with a battery at 80 % that runs down.

        Args:
            folder: Where the bus lies; for a socket, so its path must be short.

        Raises:
            BuildError: This machine lacks what it takes, or that doesn't start.
        """
        python = _python()
        if lacking := missing():
            raise BuildError(lacking)
        socket = folder / "bus"
        config = folder / "bus.conf"
        config.write_text(CONFIG.format(socket=socket), "utf-8")
        self._address = f"unix:path={socket}"
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": self._address}
        start = functools.partial(subprocess.Popen[str], stdout=subprocess.PIPE, text=True)
        daemon = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"]
        self._running = [start(daemon, stderr=subprocess.DEVNULL)]
        try:
            if not _output(self._running[0]).readline():
                raise BuildError("dbus-daemon didn't start.")
            mock = [str(python), "-m", "dbusmock", "--system", "--template", "upower"]
            about = ["--parameters", '{"OnBattery": true, "DaemonVersion": "0.99"}']
            self._running.append(start([*mock, *about], env=self.environment))
            end = time.monotonic() + SECONDS
            while self._call("EnumerateDevices", on="org.freedesktop.UPower").returncode:
                if time.monotonic() > end:
                    raise BuildError("UPower's imitation didn't start.")
            self._mock(
                "AddDischargingBattery", "string:mock", "string:Mock", "double:80", "int64:1200"
            )
            self.battery(80)
        except BaseException:
            self.close()
            raise

    def battery(self, percent: float, *, charging: bool = False, minutes: int = 20) -> None:
        """Set the charge, and how long until it is empty, or full."""
        seconds = f"int64:{60 * minutes}"
        state = CHARGING if charging else DISCHARGING
        times = ["int64:0", seconds] if charging else [seconds, "int64:0"]
        self._mock(
            "SetupDisplayDevice", f"int32:{BATTERY}", f"int32:{state}", f"double:{percent}",
            f"double:{percent / 2}", "double:50", "double:10", *times, "boolean:true",
            "string:battery-good-symbolic", "uint32:1",
        )  # fmt: skip

    def close(self) -> None:
        """End both programs."""
        for process in reversed(self._running):
            process.terminate()
            process.wait(SECONDS)
            _output(process).close()

    def _mock(self, method: str, *values: str) -> None:
        done = self._call(method, *values, on="org.freedesktop.DBus.Mock")
        if done.returncode:
            raise BuildError(f"UPower's imitation doesn't take {method}: {done.stderr.strip()}")

    def _call(self, method: str, *values: str, on: str) -> subprocess.CompletedProcess[str]:
        where = [f"--bus={self._address}", "--dest=org.freedesktop.UPower"]
        what = ["/org/freedesktop/UPower", f"{on}.{method}", *values]
        return subprocess.run(
            ["dbus-send", "--print-reply", *where, *what],
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def supplied() -> Iterator[Power]:
    """Have a power supply for as long as the block runs.

    Raises:
        BuildError: As for `Power`.
    """
    with tempfile.TemporaryDirectory() as folder:
        supply = Power(Path(folder))
        try:
            yield supply
        finally:
            supply.close()


def missing() -> str:
    """What this machine lacks for it, in words; "" when it is all there."""
    if shutil.which("dbus-daemon") and shutil.which("dbus-send") and _python():
        return ""
    return "A battery needs two packages: apt-get install dbus python3-dbusmock"


def _output(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


def _python() -> str | None:
    """A Python that has dbusmock: Debian's, since it comes as a Debian package."""
    for python in filter(Path.exists, map(Path, ("/usr/bin/python3", sys.executable))):
        found = subprocess.run([python, "-c", "import dbusmock"], capture_output=True, check=False)
        if found.returncode == 0:
            return str(python)
    return None
