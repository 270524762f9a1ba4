"""The server of `serve` and of the tests: Starlette on uvicorn.

It sends what a good static host sends (`headers`), text and scripts compressed for those who can
take it, or with `plain` what a poor one does. Ranges, ETags and HEAD come from Starlette's own file
responses.
"""

import asyncio
import functools
import gzip
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from builder.errors import BuildError
from builder.headers import headers, models_origin, worth_compressing

HOST = "127.0.0.1"
START_SECONDS = 10
STOP_SECONDS = 5

LAST_SECONDS = 0.5
"""That a client has to take what it asked for, when the server ends."""


class Answer(NamedTuple):
    """One response, as the server's log keeps it."""

    path: str
    status: int
    bytes: int
    """Body bytes handed to the socket; on a cut, those before it."""


class Address(str):
    """The URL of a running server, which also knows what it has answered."""

    log: list[Answer]

    @property
    def bytes(self) -> int:
        """Body bytes sent so far."""
        return sum(answer.bytes for answer in self.log)


def app(
    folder: Path,
    *,
    plain: bool = False,
    mounts: Mapping[str, Path] | None = None,
    base: str = "/",
    log: list[Answer] | None = None,
) -> ASGIApp:
    """Return the ASGI application that serves a folder.

    Args:
        folder: What lies at `base`.
        plain: Send the media type and nothing else that helps.
        mounts: More folders, by path ("/data").
        base: Where the folder lies: "/" or a sub-path such as "/sub/dir/".
        log: Answers are appended here.
    """
    places = {**(mounts or {}), base: folder}
    # The longest path first, so that a mount inside another one is found.
    routes = [
        Mount(path.rstrip("/"), _Folder(place, plain=plain))
        for path, place in sorted(places.items(), key=lambda item: -len(item[0]))
    ]
    return _Logged(Starlette(routes=routes), log if log is not None else [])


@contextmanager
def serving(
    folder: Path,
    *,
    plain: bool = False,
    mounts: Mapping[str, Path] | None = None,
    base: str = "/",
    wrap: Callable[[ASGIApp], ASGIApp] | None = None,
) -> Iterator[Address]:
    """Serve a folder on a free loopback port for as long as the block runs.

    Args:
        folder: What lies at `base`.
        plain: Imitate a host that sends no headers.
        mounts: More folders, by path.
        base: A sub-path to serve under.
        wrap: Puts something before the application: how tests make a network fail.

    Yields:
        The folder's URL, with a slash at its end; `.log` lists what was answered.

    Example:
        >>> with serving(Path("dist"), base="/sub/") as url:  # doctest: +SKIP
        ...     page.goto(url)
    """
    log: list[Answer] = []
    served = app(folder, plain=plain, mounts=mounts, base=base, log=log)
    with _listening(0) as listener:
        server = _Ending(_config(wrap(served) if wrap else served))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            _wait_until_started(server, thread)
            address = Address(f"http://{HOST}:{listener.getsockname()[1]}{base}")
            address.log = log
            yield address
        finally:
            server.should_exit = True
            thread.join(STOP_SECONDS)
            # Whoever still holds a stream open doesn't get to hold up the tests.
            server.force_exit = True
            thread.join(STOP_SECONDS)


def serve(folder: Path, port: int, *, plain: bool, ready: Callable[[str], None]) -> None:
    """Serve a folder until Ctrl-C.

    Args:
        folder: The built site.
        port: On 127.0.0.1.
        plain: Imitate a host that sends no headers.
        ready: Called with the URL once it answers.

    Raises:
        BuildError: The port is taken.
    """
    with _listening(port) as listener:
        server = _Announcing(_config(app(folder, plain=plain)))
        server.ready = lambda: ready(f"http://{HOST}:{listener.getsockname()[1]}/")
        server.run(sockets=[listener])


class _Ending(uvicorn.Server):
    """A server that leaves no connection open behind it, whatever its clients do."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Before uvicorn gives up what still runs: that would leave files open, too.
        later = asyncio.get_running_loop().call_later(LAST_SECONDS, self._let_go)
        await super().shutdown(sockets=sockets)
        later.cancel()
        self._let_go()
        await asyncio.sleep(0)  # for the sockets to be closed before the loop is

    def _let_go(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class _Announcing(_Ending):
    """A server that says when it answers."""

    ready: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready()


class _Folder(StaticFiles):
    """Static files with our headers."""

    def __init__(self, folder: Path, *, plain: bool) -> None:
        super().__init__(directory=folder, html=True, follow_symlink=True)
        self.folder = folder.resolve()
        self.plain = plain
        self.models_origin = models_origin(folder)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        name = Path(full_path).resolve().relative_to(self.folder).as_posix()
        wanted = headers(name, plain=self.plain, models_origin=self.models_origin)
        if isinstance(response, NotModifiedResponse):
            del wanted["Content-Type"]
        elif not self.plain and worth_compressing(name) and _takes_gzip(scope):
            validators = {key: response.headers[key] for key in ("etag", "last-modified")}
            content = _compressed(Path(full_path), stat_result.st_mtime_ns)
            encoding = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            response = Response(content, status_code, {**validators, **encoding})
        response.headers.update(wanted)
        return response


def _takes_gzip(scope: Scope) -> bool:
    """Tell whether a request is for a whole file, from somebody who can expand it."""
    asked = Headers(scope=scope)
    return (
        scope["method"] == "GET"
        and "range" not in asked
        and "gzip" in asked.get("accept-encoding", "")
    )


@functools.lru_cache(maxsize=256)
def _compressed(path: Path, changed: int) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)


class _Logged:
    """Counts what is sent."""

    def __init__(self, inner: ASGIApp, log: list[Answer]) -> None:
        self.inner = inner
        self.log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        status, sent, whole = 0, 0, False

        async def count(message: Message) -> None:
            nonlocal status, sent, whole
            if message["type"] == "http.response.start":
                status = message["status"]
            sent += len(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body"):
                # Before the last bytes go out: whoever has the answer finds it in the log.
                whole = True
                self.log.append(Answer(scope["path"], status, sent))
            await send(message)

        try:
            await self.inner(scope, receive, count)
        finally:
            if not whole:
                self.log.append(Answer(scope["path"], status, sent))


def _config(application: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        log_level="warning",
        lifespan="off",
        timeout_graceful_shutdown=1,
        # A static host has no business naming its server.
        server_header=False,
    )


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    listener = socket.socket()
    try:
        if os.name == "posix":  # elsewhere this would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise BuildError(
                f"Port {port} on {HOST} can't be used ({error.strerror}). Stop what runs there, "
                f"or choose another one: python3 build.py serve --port {port + 1}"
            ) from error
        yield listener
    finally:
        listener.close()


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    tick = threading.Event()
    waited = 0.0
    while not server.started:
        if not thread.is_alive() or waited > START_SECONDS:
            raise BuildError("The test server didn't start.")
        tick.wait(0.01)
        waited += 0.01
