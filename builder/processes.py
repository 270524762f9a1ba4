"""Processor time of a browser's processes, as the browser itself counts it."""

from playwright.sync_api import CDPSession


def renderer_seconds(session: CDPSession) -> float:
    """Return the processor time so far of a browser's renderer processes, in seconds.

    All of a page's workers and their threads are in one of them, and what DevTools itself takes is
    in others. The clock ticks every 10 ms on Linux.

    Args:
        session: With the browser, not with a page.
    """
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return float(sum(one["cpuTime"] for one in found if one["type"] == "renderer"))
