"""Fixtures of the engine's tests, for CPython and for Pyodide alike."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import os
import sys
from functools import cached_property
from pathlib import Path

import pytest

import satchel
from satchel import platform as platforms

IN_BROWSER = sys.platform == "emscripten"

_scopes = itertools.count()


def pytest_pyfunc_call(pyfuncitem):
    """Run coroutine tests: by asyncio here, by stack switching in the browser."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    coroutine = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    if IN_BROWSER:
        from pyodide.ffi import run_sync

        run_sync(coroutine)
    else:
        asyncio.run(coroutine)
    return True


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> Path:
    """The folder that fixtures.py filled."""
    given = os.environ.get("SATCHEL_TEST_FILES")
    if given:
        return Path(given)
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "engine_fixtures", Path(__file__).with_name("fixtures.py")
    )
    fixtures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fixtures)
    folder = tmp_path_factory.mktemp("engine-files")
    fixtures.write(folder)
    return folder


@pytest.fixture
def model(files):
    """Reads a model by name."""
    return lambda name: (files / f"{name}.onnx").read_bytes()


def _device(kind):
    """A browser whose abilities a test may change."""

    class Device(kind):
        features = cached_property(kind.features.fget)
        agent = cached_property(kind.agent.fget)

    return Device()


@pytest.fixture
def platform(tmp_path):
    """This platform, with an empty store of its own."""
    if IN_BROWSER:
        from satchel.platform.browser import BrowserPlatform

        satchel.configure(scope=f"test-{next(_scopes)}-{os.urandom(4).hex()}")
        shared = platforms.current()
        fresh = _device(BrowserPlatform)
        fresh.engines = shared.engines  # one inference worker for all tests
        return fresh
    from satchel.platform.native import NativePlatform

    return NativePlatform(tmp_path)


@pytest.fixture
def shelf(platform, files, served):
    """A library, and releases of one small model."""
    from shelf import Shelf

    return Shelf(platform, files, served)


@pytest.fixture(scope="session")
def served(files) -> str:
    """URL of the folder that fixtures.py filled."""
    given = os.environ.get("SATCHEL_TEST_URL")
    if given:
        yield given
        return
    import functools
    import threading
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(files)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()
