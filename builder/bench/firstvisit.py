"""What a first visit costs, and an update of the page: bytes as the server counts them, and time.

Everything counts, also what the service worker keeps for later; models apart. The browser has a
profile on disk, as a visitor's has: private windows keep no large files in their HTTP cache.
"""

import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from playwright.sync_api import BrowserContext, Page, sync_playwright

from builder import browser, bundle, bytecode, site
from builder.bench.slowlink import SlowLink
from builder.errors import BuildError
from builder.paths import APP, ROOT
from builder.progress import doing
from builder.report import Report
from builder.server import Address, Answer, serving
from builder.site import Site

BANDWIDTH = 10e6
"""Bits in a second …"""
LATENCY = 0.04
"""… and seconds: the emulated link of a first visit."""

SECONDS = 180
"""How long a step may take."""

PHOTO = APP / "static" / "samples" / "chelsea.jpg"

PARTS = {
    "model": r"/models/",
    "micropython": r"/runtime/micropython-",
    "python": r"/runtime/(pyodide|numpy|snapshot)-|/assets/engine\.\w+\.zst$",
    "inference": r"/runtime/(onnxruntime|litert)-",
    "extras": r"/(icons|samples)/|/assets/updates\.|/(notices\.txt|site\.webmanifest|sw\.js)$",
    "page": r"",
}
"""What a path belongs to: the first that matches. `page` is what one needs to use the interface,
apart from MicroPython; `extras` come afterwards, for use without a network and for updates."""

TEN_LINES = '''

def _told_by_the_bench(values: list[float]) -> str:
    """Ten lines that change the engine."""
    total = 0.0
    for index, value in enumerate(values):
        if index % 2:
            total -= value
        else:
            total += value
    return f"{total:.3f} of {len(values)}"
'''
"""Ten lines of code, appended to a module."""

OFFLINE_READY = (
    "() => document.querySelector('[data-testid=offline-ready]')?.dataset.state === 'yes'"
)
DONE = "() => document.querySelector('[data-testid=result]')?.dataset.state === 'done'"
UPDATE_WAITS = (
    "() => document.querySelector('[data-note=page-update]')?.textContent.includes('Reload')"
)
READY = "() => document.querySelector('[data-testid=engine-state]')?.dataset.state === 'ready'"


def measure(report: Report) -> None:
    """Add the figures `firstvisit.*` and `shell_update.bytes` to a report.

    Raises:
        BuildError: The page doesn't get where it should.
    """
    own = site.load(ROOT / "site.toml")
    folder = bundle.build(own, ROOT / "dist")
    with doing("A first visit, and one on a host without headers …"):
        _note(report, "firstvisit.bytes", visit(folder))
        _note(report, "firstvisit.bytes_plain_host", visit(folder, plain=True))
    with doing("A ten-line change of the engine, and a visitor who comes again …"):
        report.figure("shell_update.bytes", update(own, folder), "bytes")
    with doing(f"A first label over {BANDWIDTH / 1e6:g} Mbit/s …"):
        first = first_label(folder)
    report.figure("firstvisit.seconds", first.seconds, "s")
    report.figure("firstvisit.interface_seconds", first.interface_seconds, "s")
    report.figure("firstvisit.bytes_to_label", sum(one.bytes for one in first.answers), "bytes")


def visit(folder: Path, *, plain: bool = False) -> list[Answer]:
    """Open a site for the first time, until everything is kept; return what the server answered."""
    with serving(folder, plain=plain) as url, _visitor() as visitor:
        page = visitor.new_page()
        page.goto(url)
        _until(page, OFFLINE_READY)
        return list(url.log)


def update(own: Site, folder: Path) -> int:
    """Return the bytes that a change of the engine costs somebody who was there before."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        changed = _changed(own, place)
        served = Path(shutil.copytree(folder, place / "served"))
        url: Address = stack.enter_context(serving(served))
        visitor = stack.enter_context(_visitor())
        page = visitor.new_page()
        page.goto(url)
        _until(page, OFFLINE_READY)
        page.close()
        shutil.rmtree(served)
        shutil.copytree(changed, served)
        url.log.clear()
        page = visitor.new_page()
        page.goto(url)
        _until(page, UPDATE_WAITS)
        before = page.evaluate("() => satchel.site.build")
        page.get_by_role("button", name="Reload to update").click()
        _until(page, f"() => globalThis.satchel?.site.build !== '{before}' && ({READY})()")
        return url.bytes


@dataclass(frozen=True)
class FirstLabel:
    """How long somebody with a slow link waits, from opening the page."""

    interface_seconds: float
    """Until the page can be used."""
    seconds: float
    """Until a photo that was given at once has its label."""
    answers: Sequence[Answer]
    """What had been answered by then, in order."""


def first_label(folder: Path) -> FirstLabel:
    """Open a site over a slow link and give it a photo as soon as it can be given one."""
    link = SlowLink(BANDWIDTH, LATENCY)
    with serving(folder, wrap=link) as url, _visitor() as visitor:
        page = visitor.new_page()
        opened = time.monotonic()
        page.goto(url, wait_until="commit")
        page.get_by_test_id("file-input").set_input_files(PHOTO)
        _until(page, "() => !document.getElementById('sample').disabled")
        usable = time.monotonic() - opened
        _until(page, DONE)
        return FirstLabel(usable, time.monotonic() - opened, list(url.log))


def by_part(answers: Sequence[Answer]) -> Mapping[str, int]:
    """Return the bytes of each part."""
    sizes = dict.fromkeys(PARTS, 0)
    for answer in answers:
        part = next(name for name, pattern in PARTS.items() if re.search(pattern, answer.path))
        sizes[part] += answer.bytes
    return sizes


def _note(report: Report, name: str, answers: Sequence[Answer]) -> None:
    sizes = dict(by_part(answers))
    report.figure(f"{name}.model", sizes.pop("model"), "bytes")
    report.figure(name, sum(sizes.values()), "bytes")
    for part, size in sizes.items():
        report.figure(f"{name}.{part}", size, "bytes")


def _changed(own: Site, place: Path) -> Path:
    """Build the site once more, from an engine with ten lines changed; the tree stays as it is."""
    app = place / "app"
    shutil.copytree(APP, app, ignore=shutil.ignore_patterns("static", "__pycache__"))
    module = app / "satchel" / "runtime.py"
    module.write_text(module.read_text("utf-8") + TEN_LINES, "utf-8")
    with mock.patch.object(bytecode, "APP", app):  # all that pages have of the engine's Python
        return bundle.build(own, place / "changed")


@contextmanager
def _visitor() -> Iterator[BrowserContext]:
    """A browser with a new profile of its own."""
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with folder as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=browser.chromium(), args=browser.launch_args()
        )
        context.set_default_timeout(SECONDS * 1000)
        try:
            yield context
        finally:
            context.close()


def _until(page: Page, expression: str) -> None:
    end = time.monotonic() + SECONDS
    while not _evaluated(page, expression):
        if time.monotonic() > end:
            raise BuildError(f"The page didn't get there in {SECONDS} s: {expression}")
        page.wait_for_timeout(20)


def _evaluated(page: Page, expression: str) -> Any:
    from playwright.sync_api import Error

    try:
        return page.evaluate(expression)
    except Error as error:
        if "context was destroyed" in error.message:  # it reloads itself to become isolated
            return None
        raise BuildError(f"The page failed: {error.message}") from error
