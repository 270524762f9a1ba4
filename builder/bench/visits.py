"""A browser that is only told to open and close tabs, and a server that pages report to.

No debugger is attached while anything is measured. Playwright holds every new worker until it has
had a look at it, and watches every request: that costs a page the more, the more workers it has.
DevTools' HTTP endpoint opens a tab and looks at nothing. Playwright comes in between two opens
only, to stop service workers.
"""

import json
import os
import queue
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Playwright, sync_playwright
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from builder import browser
from builder.errors import BuildError

REPORTS_TO = "/bench/answer"
"""Where pages post what they measured."""

START_SECONDS = 30
REQUEST_SECONDS = 10


class Tabs:
    """The tabs of a running browser.

    Attributes:
        process: The id of its first process.
    """

    def __init__(self, port: int, playwright: Playwright, process: int) -> None:
        self.process = process
        self._address = f"http://127.0.0.1:{port}"
        self._playwright = playwright

    def open(self, url: str) -> str:
        """Open a URL in a new tab and return the tab's id."""
        told = self._ask(f"new?{urllib.parse.quote(url, safe='')}", "PUT")
        return str(json.loads(told)["id"])

    def close(self, tab: str) -> None:
        """Close a tab; its processes end a little later."""
        self._ask(f"close/{tab}", "GET")

    def rest(self) -> None:
        """Stop every service worker, as the browser does half a minute after its last page.

        Otherwise the next page would be put into the process that the worker keeps alive, where
        much is warm that a visitor who comes back later finds cold.
        """
        chromium = self._playwright.chromium.connect_over_cdp(self._address)
        try:
            (context,) = chromium.contexts
            session = context.new_cdp_session(context.pages[0])
            session.send("ServiceWorker.enable")
            session.send("ServiceWorker.stopAllWorkers")
        finally:
            chromium.close()  # only the connection

    def _ask(self, what: str, method: str) -> bytes:
        request = urllib.request.Request(f"{self._address}/json/{what}", method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as answer:  # noqa: S310
            return bytes(answer.read())


@contextmanager
def browsing(profile: Path) -> Iterator[Tabs]:
    """Run a headless browser on a profile for as long as the block runs.

    Raises:
        BuildError: It doesn't start.
    """
    with running(profile) as (port, process), sync_playwright() as playwright:
        yield Tabs(port, playwright, process)


@contextmanager
def running(
    profile: Path, *flags: str, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[int, int]]:
    """Run a headless browser that is told nothing but its flags.

    Args:
        profile: Its folder.
        flags: More of them.
        environment: What it gets beside this process's own.

    Yields:
        The port of its DevTools, and the id of its first process.

    Raises:
        BuildError: It doesn't start.
    """
    profile.mkdir(parents=True, exist_ok=True)
    told = profile / "DevToolsActivePort"
    told.unlink(missing_ok=True)
    switches = browser.launch_args(
        "--headless",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        "--no-default-browser-check",
        "--disable-extensions",
        *flags,
    )
    command = [str(browser.chromium()), *switches, "about:blank"]
    silence: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, **silence)
    try:
        yield _port(told, process), process.pid
    finally:
        process.terminate()
        try:
            process.wait(REQUEST_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port(told: Path, process: "subprocess.Popen[bytes]") -> int:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        lines = told.read_text("utf-8").splitlines() if told.is_file() else []
        if len(lines) > 1:  # the second one is written last
            return int(lines[0])
        time.sleep(0.05)
    raise BuildError(f"{process.args!r} didn't start.")


class Mailbox:
    """What pages reported, in order."""

    def __init__(self) -> None:
        self._reports: queue.Queue[dict[str, Any]] = queue.Queue()

    def wait(self, url: str, seconds: float) -> dict[str, Any]:
        """Return the next report, which the page at `url` is to give.

        Raises:
            BuildError: The page failed, in its own words, or said nothing in time.
        """
        try:
            told = self._reports.get(timeout=seconds)
        except queue.Empty:
            raise BuildError(f"{url} said nothing for {seconds:g} s.") from None
        if "error" in told:
            raise BuildError(f"{url} failed: {told['error']}")
        return told

    def clear(self) -> None:
        """Forget reports that nobody waited for."""
        while not self._reports.empty():
            self._reports.get_nowait()

    def beside(
        self, *, without: tuple[str, ...] = (), headers: Mapping[str, str] | None = None
    ) -> Callable[[ASGIApp], ASGIApp]:
        """Return what `serving` puts before a site so that its pages can report here.

        Args:
            without: Paths that this host does not have.
            headers: Sent instead of the site's own of the same names.
        """

        def wrap(inner: ASGIApp) -> ASGIApp:
            async def answer(scope: Scope, receive: Receive, send: Send) -> None:
                path = scope.get("path")
                if path == REPORTS_TO:
                    self._reports.put(json.loads(await Request(scope, receive).body()))
                    await Response(status_code=204)(scope, receive, send)
                elif path in without:
                    await Response(status_code=404)(scope, receive, send)
                else:
                    await inner(scope, receive, _saying(send, headers or {}))

            return answer

        return wrap


def _saying(send: Send, headers: Mapping[str, str]) -> Send:
    """Replace some headers of whatever is sent."""
    given = {name.lower().encode(): value.encode() for name, value in headers.items()}

    async def sending(message: Any) -> None:
        if given and message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message["headers"] if name not in given]
            message = {**message, "headers": [*kept, *given.items()]}
        await send(message)

    return sending
