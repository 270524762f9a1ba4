"""A network that fails as real ones do, between the built site and the browser."""

from __future__ import annotations

import asyncio
import math
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from front import collected


class Network:
    """An ASGI wrapper for `serving(…, wrap=network)`: spoils what is asked for, while told to."""

    def __init__(self) -> None:
        self._pattern: re.Pattern[str] | None = None
        self._spoil: Callable | None = None
        self._times: float = 0
        self._stalled = 0

    def __call__(self, app):
        async def wrapped(scope, receive, send):
            matches = self._pattern is not None and self._pattern.search(scope["path"])
            if not matches or self._times <= 0:
                await app(scope, receive, send)
                return
            self._times -= 1
            reply = await collected(app, scope, receive)
            await self._spoil(self, reply.status, reply.headers, reply.body, send)

        return wrapped

    @contextmanager
    def fault(self, pattern: str, spoil: Callable, times: float = math.inf) -> Iterator[None]:
        """Spoil so many of the answers whose path matches, for as long as the block runs."""
        self._spoil, self._pattern, self._times = spoil, re.compile(pattern), times
        yield
        self._pattern = None

    @property
    def stalled(self) -> bool:
        """Whether somebody waits for the rest of an answer."""
        return self._stalled > 0

    # ---- what can go wrong: each answers with (status, headers, body)

    async def cut(self, status, headers, body, send):
        """The connection breaks half-way; the browser can tell by Content-Length."""
        await _begin(send, status, headers)
        await send(
            {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
        )
        raise ConnectionError("cut on purpose")

    async def cut_without_length(self, status, headers, body, send):
        """It breaks half-way in chunked encoding."""
        await self.cut(status, _without_length(headers), body, send)

    async def end_early(self, status, headers, body, send):
        """Half of it comes, and the connection ends as if that were all."""
        await _begin(send, status, _without_length(headers))
        await send({"type": "http.response.body", "body": body[: len(body) // 2]})

    async def flip(self, status, headers, body, send):
        """One byte in the middle is another one."""
        middle = len(body) // 2
        spoilt = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
        await _begin(send, status, headers)
        await send({"type": "http.response.body", "body": spoilt})

    async def append(self, status, headers, body, send):
        """More comes than was promised, as from hosts that add something of their own."""
        await _begin(send, status, _without_length(headers))
        await send({"type": "http.response.body", "body": body + b"<!-- hosted by us -->"})

    async def empty(self, status, headers, body, send):
        """Nothing comes, with status 200."""
        await _begin(send, status, _without_length(headers))
        await send({"type": "http.response.body", "body": b""})

    async def missing(self, status, headers, body, send):
        """404."""
        await _refuse(send, 404)

    async def broken(self, status, headers, body, send):
        """500."""
        await _refuse(send, 500)

    async def mistyped(self, status, headers, body, send):
        """It is all there, but called text."""
        await _begin(send, status, [*_untyped(headers), (b"content-type", b"text/plain")])
        await send({"type": "http.response.body", "body": body})

    async def untyped(self, status, headers, body, send):
        """It is all there, but not called anything."""
        await _begin(send, status, _untyped(headers))
        await send({"type": "http.response.body", "body": body})

    async def typed_by_its_other_name(self, status, headers, body, send):
        """What travels packed is called what it will be once it is expanded."""
        await _begin(send, status, [*_untyped(headers), (b"content-type", b"application/wasm")])
        await send({"type": "http.response.body", "body": body})

    async def encoded(self, status, headers, body, send):
        """The name is taken for an encoding of the content, so that browsers expand it."""
        zstd = [(b"content-encoding", b"zstd")] if body[:4] == b"\x28\xb5\x2f\xfd" else []
        await _begin(send, status, [*headers, *zstd])
        await send({"type": "http.response.body", "body": body})

    async def stall_first(self, status, headers, body, send):
        """As `stall`, but whoever asks while one waits gets everything."""
        if not self.stalled:
            await self.stall(status, headers, body, send)
        await _begin(send, status, headers)
        await send({"type": "http.response.body", "body": body})

    async def stall(self, status, headers, body, send):
        """Half of it comes, and then nothing happens until the browser goes away."""
        await _begin(send, status, headers)
        await send(
            {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
        )
        self._stalled += 1
        try:
            pattern = self._pattern
            while self._pattern is pattern:
                await asyncio.sleep(0.02)
        finally:
            self._stalled -= 1
        raise ConnectionError("cut on purpose")


@pytest.fixture
def small_disk(tmp_path):
    """Puts what pages store in the test's profile on a real file system of so many megabytes.

    What the browser keeps for itself lies elsewhere: Chromium 156 may hang when that has no room.
    """
    with ExitStack() as mounted:

        def mount(megabytes: int) -> Path:
            disk, folder = tmp_path / "disk", tmp_path / "profile"
            disk.mkdir()
            size = f"size={megabytes}m"
            command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(disk)]
            if subprocess.run(command, capture_output=True, check=False).returncode:
                pytest.skip("mounting a small file system takes root")
            mounted.callback(subprocess.run, ["umount", "-l", str(disk)], check=True)
            (folder / "Default").mkdir(parents=True)
            for name in ("IndexedDB", "Service Worker", "File System"):
                (disk / name).mkdir()
                (folder / "Default" / name).symlink_to(disk / name)
            return disk

        yield mount


@pytest.fixture(scope="module")
def network() -> Network:
    return Network()


async def _begin(send, status, headers):
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _refuse(send, status):
    await _begin(send, status, [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")])
    await send({"type": "http.response.body", "body": b"no"})


def _untyped(headers):
    return [(name, value) for name, value in headers if name != b"content-type"]


def _without_length(headers):
    return [(name, value) for name, value in headers if name != b"content-length"]


# ---- what became of each case, for docs/faults.md


def pytest_configure(config):
    report = config.getoption("--fault-report", None)
    if report is not None:
        config.pluginmanager.register(Told(report))


class Told:
    """Writes which cases of the matrix held in this run."""

    def __init__(self, path) -> None:
        self.path = path
        self.held: dict[str, bool] = {}

    def pytest_runtest_logreport(self, report):
        if "[" in report.nodeid and (report.when == "call" or report.failed):
            case = report.nodeid.partition("[")[2].rstrip("]")
            self.held[case] = self.held.get(case, True) and report.passed

    def pytest_sessionfinish(self, session):
        import table

        command = f"pytest {' '.join(session.config.invocation_params.args)}"
        self.path.write_text(table.report(self.held, command), "utf-8")
