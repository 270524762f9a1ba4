"""What tests share: the built site, a server for it, a watched browser.

The browser's fixtures last for one module: Playwright's synchronous interface occupies the
thread's event loop while it runs, and the engine's tests need that loop for themselves.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import pytest

# The machine may be busy: a slow example is no failure. `test --all` looks for longer.
hypothesis.settings.register_profile(
    "usual", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile(
    "long", hypothesis.settings.get_profile("usual"), max_examples=1000
)
hypothesis.settings.load_profile(os.environ.get("SATCHEL_HYPOTHESIS", "usual"))

ROOT = Path(__file__).resolve().parent.parent

NO_NAMES = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
"""No host name resolves, so nothing that leaves the machine can go unnoticed."""


def pytest_addoption(parser):
    faults = parser.getgroup("faults", "faults by chance (tests/faults)")
    faults.addoption(
        "--fault-seed", type=int, metavar="N", help="which ones; default: see the test"
    )
    faults.addoption("--fault-report", type=Path, metavar="FILE", help="write what became of each")


AT_THE_END = "An unknown error occurred when fetching the script"
"""A page's words when its host goes while it registers its service worker: a test may end there."""


NEXT_ROOT = re.compile(r"404 \(.*/metadata/\d+\.root\.json\)$")
"""A browser's word on what each look for updates begins with: a question for the root after the
one that is known (The Update Framework, 5.3.3). There is none until keys are rotated."""


class Watch:
    """Notes what no page of ours may do; the fixture fails the test over it at the end."""

    def __init__(self) -> None:
        self.origins: set[str] = set()
        self.expected: list[str] = [AT_THE_END]
        self.seen: list[str] = []

    def allow_origin(self, url: str) -> None:
        """Let pages ask this server too."""
        self.origins.add(_origin(url))

    def expect(self, words: str) -> None:
        """Let a console error pass that holds these words: for tests that provoke it."""
        self.expected.append(words)

    def context(self, context) -> None:
        """Watch everything in a browser context."""
        context.on("request", lambda request: self._request(request.url))
        context.on("console", self._console)
        context.on("weberror", lambda error: self._note(f"uncaught error: {error.error}"))

    def problems(self) -> list[str]:
        """Return what was seen and not expected."""
        return [
            line
            for line in self.seen
            if not any(words in line for words in self.expected) and not NEXT_ROOT.search(line)
        ]

    def _request(self, url: str) -> None:
        if url.startswith(("http:", "https:", "ws:", "wss:")) and _origin(url) not in self.origins:
            self._note(f"request to another origin: {url}")

    def _console(self, message) -> None:
        if message.type == "error":
            where = message.location.get("url", "")
            self._note(f"console error: {message.text} ({where})")

    def _note(self, line: str) -> None:
        self.seen.append(line)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def some(values, always):
    """All values as parameters: `always` in every run, the others in whole ones (`test --all`)."""
    return [
        pytest.param(value, marks=[] if value in always else [pytest.mark.heavy])
        for value in values
    ]


@pytest.fixture(scope="session")
def dist() -> Path:
    """The project's own site, built."""
    from builder import bundle, site

    return bundle.build(site.load(ROOT / "site.toml"), ROOT / "dist")


@pytest.fixture
def site_url(dist, watch) -> Iterator[str]:
    """URL of the built site on a host that sends every header; `.log` has what it answered."""
    from builder.server import serving

    with serving(dist) as url:
        watch.allow_origin(url)
        yield url


@pytest.fixture(scope="module")
def playwright() -> Iterator[object]:
    """Playwright, for this module."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright) -> Iterator[object]:
    """A headless Chromium, for this module."""
    from builder.browser import NO_PRESSURE, chromium, launch_args

    started = playwright.chromium.launch(
        executable_path=str(chromium()), args=launch_args(NO_NAMES, NO_PRESSURE)
    )
    yield started
    started.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fails the test over console errors and requests to other origins."""
    watching = Watch()
    yield watching
    problems = watching.problems()
    assert not problems, "\n".join(problems)


@pytest.fixture
def context(browser, watch) -> Iterator[object]:
    """A fresh, watched browser context, as a first-time visitor has."""
    fresh = browser.new_context()
    watch.context(fresh)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context) -> object:
    """A fresh, watched page."""
    return context.new_page()


@pytest.fixture
def profile(playwright, watch, tmp_path) -> Callable[..., AbstractContextManager]:
    """Starts Chromium on this test's own profile; a second start is the same browser, restarted.

    with profile() as context:
        context.new_page().goto(site_url)
    with profile(offline=True) as context: ...
    """
    from builder.browser import NO_PRESSURE, chromium, launch_args

    @contextmanager
    def start(*switches: str, **options) -> Iterator[object]:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=str(chromium()),
            args=launch_args(NO_NAMES, NO_PRESSURE, *switches),
            **options,
        )
        watch.context(context)
        yield context
        context.close()

    return start


@pytest.fixture(scope="session")
def until() -> Callable[..., object]:
    """Waits until JavaScript in a page gives something true, and returns it.

    Playwright's own wait_for_function evaluates strings, which our policy forbids.
    """

    def wait(page, expression: str, *, seconds: float = 60) -> object:
        end = time.monotonic() + seconds
        while not (value := _evaluated(page, expression)):
            if time.monotonic() >= end:
                pytest.fail(f"not within {seconds} s: {expression}\n{_shown(page)}")
            page.wait_for_timeout(50)
        return value

    return wait


def _evaluated(page, expression: str) -> object:
    from playwright.sync_api import Error

    try:
        return page.evaluate(expression)
    except Error as error:
        # The page reloads itself to become isolated; its next document will answer.
        if "context was destroyed" in error.message:
            return None
        raise


def _shown(page) -> str:
    """What people would see there, for who reads of a failure."""
    from playwright.sync_api import Error

    try:
        text = page.evaluate("document.body.innerText")
    except Error as error:
        return error.message
    return "\n".join(line for line in text.splitlines() if line.strip())


@pytest.fixture(scope="session")
def torch_python() -> Path:
    """The Python of the environment with PyTorch; for tests marked `heavy`."""
    from builder import toolenv

    return toolenv.python("torch")


@pytest.fixture(scope="session")
def tensorflow_python() -> Path:
    """The Python of the environment with TensorFlow; for tests marked `heavy`."""
    from builder import toolenv

    return toolenv.python("tensorflow")


@pytest.fixture(scope="session")
def litert_python() -> Path:
    """The Python of the environment with LiteRT's converters; for tests marked `heavy`."""
    from builder import toolenv

    return toolenv.python("litert")
