"""Memory of the browser's processes, as Linux counts it."""

import contextlib
import re
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, Worker

from builder.errors import BuildError

_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)

COLLECT = "() => { for (let i = 0; i < 3; i++) gc(); }"
"""Needs --js-flags=--expose-gc; what the first pass frees may hold what the next one frees."""


def page_pss(browser: Browser) -> int:
    """Return the proportional set size in bytes of the process that runs the page.

    That is the renderer with the most memory: a page of ours never has less than an idle spare.

    Raises:
        BuildError: This system does not say (Linux does).
    """
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    sizes = [_pss(item["id"]) for item in processes if item["type"] == "renderer"]
    if not sizes:
        raise BuildError("The browser names no renderer process.")
    return max(sizes)


def browser_pss(process: int) -> int:
    """Return the proportional set sizes of a browser's processes together, in bytes.

    Args:
        process: The id of the first one.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        first = psutil.Process(process)
        return sum(_pss_or_gone(one.pid) for one in (first, *first.children(recursive=True)))
    return 0


def _pss_or_gone(process: int) -> int:
    """Return 0 for a process that has just ended."""
    try:
        return _pss(process)
    except BuildError:
        if psutil.pid_exists(process):
            raise
        return 0


def collect(page: Page) -> None:
    """Collect garbage in the page and in all of its workers, Python's included."""
    page.evaluate(COLLECT)
    for worker in _listening(page):
        worker.evaluate("() => globalThis.pyodide?.runPython('import gc; gc.collect()')")
        worker.evaluate(COLLECT)
    page.wait_for_timeout(500)  # finalisers run as tasks of their own


def live_proxies(page: Page) -> int:
    """Return how many JavaScript objects the page's Python holds."""
    counts = [
        worker.evaluate("() => globalThis.pyodide?._module._hiwire_num_refs() ?? null")
        for worker in _listening(page)
    ]
    found = [count for count in counts if count is not None]
    if len(found) != 1:
        raise BuildError(f"One worker with Python was expected; there are {len(found)}.")
    return int(found[0])


def _listening(page: Page) -> list[Worker]:
    """The page's own workers: onnxruntime's threads wait in WASM and never answer."""
    return [worker for worker in page.workers if "/assets/" in worker.url]


def _pss(process: int) -> int:
    path = Path(f"/proc/{process}/smaps_rollup")
    try:
        found = _PSS.search(path.read_text("utf-8"))
    except OSError as error:
        raise BuildError(f"Memory is measured through {path}, which cannot be read.") from error
    return int(found.group(1)) * 1024 if found else 0
