"""Finding a Chromium, and the flags to start it with."""

import os
import shutil
import sys
from pathlib import Path

from builder.errors import BuildError

NAMES = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge",
    "microsoft-edge",
)  # fmt: skip

PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)

VARIABLE = "SATCHEL_BROWSER"

NO_PRESSURE = "--disable-blink-features=ComputePressure"
"""Flag for pictures and tests: the machine is busy with them, and the page would take rests."""


def chromium() -> Path:
    """Return a Chromium, Chrome or Edge on this machine.

    Raises:
        BuildError: There is none; the message says how to get one.
    """
    if given := os.environ.get(VARIABLE):
        if Path(given).is_file():
            return Path(given)
        raise BuildError(f"{VARIABLE} points to {given}, which isn't there.")
    candidates = [*(shutil.which(name) for name in NAMES), *PLACES, _playwrights()]
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    playwright = Path(sys.executable).with_name("playwright")
    raise BuildError(
        "No Chromium, Chrome or Edge was found. Install one (Debian, Ubuntu: apt-get install "
        f"chromium), or let Playwright fetch its own: {playwright} install chromium; or point to "
        f"one with the variable {VARIABLE}."
    )


def _playwrights() -> str | None:
    """Return the browser that `playwright install chromium` put there, if any."""
    home = Path.home()
    caches = (
        os.environ.get("PLAYWRIGHT_BROWSERS_PATH"),
        home / ".cache/ms-playwright",
        home / "Library/Caches/ms-playwright",
        home / "AppData/Local/ms-playwright",
    )
    inside = (
        "chromium-*/chrome-linux*/chrome",
        "chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/Chromium",
        "chromium-*/chrome-win*/chrome.exe",
    )
    for cache in caches:
        for pattern in inside if cache else ():
            for found in sorted(Path(cache or "").glob(pattern), reverse=True):
                return str(found)
    return None


def launch_args(*extra: str) -> list[str]:
    """Return the flags for a quiet headless browser that asks nobody for anything.

    Example:
        >>> "--disable-sync" in launch_args()
        True
    """
    quiet = [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    # Chromium refuses to run its sandbox as root, which is what CI containers are.
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*quiet, *(["--no-sandbox"] if root else []), *extra]
