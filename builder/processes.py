"""A browser's processes: processor time, as the browser itself counts it, and their cores."""

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession


def renderer_seconds(session: CDPSession) -> float:
    """Return the processor time so far of a browser's renderer processes, in seconds.

    All of a page's workers and their threads are in one of them, and what DevTools itself takes is
    in others. The clock ticks every 10 ms on Linux.

    Args:
        session: With the browser, not with a page.
    """
    return float(sum(one["cpuTime"] for one in _renderers(session)))


def pin_renderers(session: CDPSession, cores: Collection[int]) -> None:
    """Let a browser's renderer processes, with all of their threads, run on these cores alone.

    Linux has that.

    Args:
        session: With the browser, not with a page.
        cores: Numbers of cores.
    """
    for one in _renderers(session):
        for thread in Path(f"/proc/{one['id']}/task").iterdir():
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.sched_setaffinity(int(thread.name), cores)


def _renderers(session: CDPSession) -> list[dict[str, Any]]:
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return [one for one in found if one["type"] == "renderer"]
