"""Recording a snapshot in a real browser, and keeping it.

A recording is kept in `.cache/snapshots` under the ids of what went in: Pyodide, NumPy, the
recorder's own sources and what starts the engine. A change of the engine needs no new one.
"""

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock
from playwright.sync_api import Error, sync_playwright
from starlette.types import ASGIApp, Receive, Scope, Send

from builder import archives, browser, parts, pyodide, scripts
from builder.errors import BuildError
from builder.files import fingerprint, replacing, short
from builder.paths import APP, CACHE, STATIC
from builder.progress import doing, say
from builder.server import serving
from builder.snapshot import pack

STORE = CACHE / "snapshots"
PAGE = Path(__file__).parent / "page"

SITE_PACKAGES = "/lib/python3.14/site-packages/"
OURS = (APP / "session.py", APP / "importer.py")
"""What starts the engine: it changes as seldom as Pyodide does, and lies in the snapshot."""

SECONDS = 180
"""How long a recording may take; on a busy machine it needs a tenth of this."""


@dataclass(frozen=True)
class Library:
    """A library that is loaded before Python starts."""

    path: str
    """Where Python finds it."""
    name: str
    """What its file is called on the host: with `.wasm`, so that its media type is right."""
    content: bytes


@dataclass(frozen=True)
class Snapshot:
    """A recorded snapshot."""

    content: bytes
    sha256: str
    ids: Mapping[str, str]
    modules: frozenset[str]
    """Every module that is imported in it."""


def snapshot() -> Snapshot | None:
    """Return the snapshot for this Pyodide and NumPy, recording it if need be.

    Returns:
        None where there is no browser to record in: the page then starts Python the ordinary way.

    Raises:
        BuildError: The recording failed.
    """
    made_from = ids()
    place = STORE / short(json.dumps(made_from, sort_keys=True))
    STORE.mkdir(parents=True, exist_ok=True)
    with FileLock(STORE / f"{place.name}.lock"):
        if not place.is_dir():
            try:
                chromium = browser.chromium()
            except BuildError as error:
                say(f"No snapshot of Python: {error} The page will start a second slower.")
                return None
            with doing("Recording a snapshot of Python with NumPy (once per version) …"):
                _record(chromium, place, made_from)
    return _read(place)


def available() -> bool:
    """Tell whether a build gets a snapshot."""
    try:
        browser.chromium()
    except BuildError:
        return (STORE / short(json.dumps(ids(), sort_keys=True))).is_dir()
    return True


def ids() -> dict[str, str]:
    """Name everything that a snapshot is made from."""
    runtime = pyodide.runtime()
    internals = STATIC / "snapshot" / "internals.mjs"
    recorder = [PAGE, Path(__file__), Path(pack.__file__), internals, *OURS]
    return {
        "pyodide": parts.table()["pyodide"].version,
        "wasm": hashlib.sha256(runtime.wasm).hexdigest(),
        "script": hashlib.sha256(runtime.script).hexdigest(),
        "stdlib": hashlib.sha256(archives.standard_library()).hexdigest(),
        "numpy": hashlib.sha256(archives.numpy()).hexdigest(),
        "recorder": fingerprint(recorder)[:16],
    }


def libraries() -> list[Library]:
    """Return NumPy's libraries that are loaded before Python starts."""
    return [
        Library(SITE_PACKAGES + path, path.rpartition("/")[2].partition(".")[0] + ".wasm", content)
        for path, content in archives.libraries().items()
    ]


def _read(place: Path) -> Snapshot:
    about = json.loads((place / "snapshot.json").read_text("utf-8"))
    return Snapshot(
        content=(place / "python.snapshot").read_bytes(),
        sha256=about["sha256"],
        ids=about["ids"],
        modules=frozenset(about["modules"].split()),
    )


def _record(chromium: Path, place: Path, made_from: Mapping[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        given = _recorder(site)
        received = _Received()
        with serving(site, wrap=received) as url:
            outcome = _run(chromium, url, given)
    recording = pack.Recording.of(
        received.bodies["snapshot"], received.bodies["fresh"], outcome["table"]
    )
    packed = pack.pack(recording, made_from)
    with replacing(place) as work:
        (work / "python.snapshot").write_bytes(packed)
        about = {
            "sha256": hashlib.sha256(packed).hexdigest(),
            "ids": made_from,
            "modules": " ".join(outcome["modules"]),
        }
        (work / "snapshot.json").write_text(json.dumps(about, indent=1), "utf-8")
    say(f"Recorded {len(outcome['modules'])} modules: {len(packed) / 1e6:.1f} MB.")


def _recorder(site: Path) -> dict[str, Any]:
    """Put the recording page into a folder and return what it is to be told."""
    shutil.copytree(parts.folder("pyodide"), site / "pyodide")
    (site / "pyodide" / pyodide.SCRIPT).write_bytes(pyodide.runtime().script)
    (site / "pyodide" / pyodide.WASM).write_bytes(pyodide.runtime().wasm)
    # The very archive that the page will have: Python remembers where in it each module lies.
    (site / "pyodide" / "python_stdlib.zip").write_bytes(archives.standard_library())
    (site / "numpy.zip").write_bytes(archives.numpy())
    shutil.copyfile(PAGE / "record.html", site / "index.html")
    for name in ("record.page.mjs", "record.worker.mjs"):
        (site / name).write_bytes(scripts.bundle(PAGE / name))
    for library in libraries():
        (site / library.name).write_bytes(library.content)
    return {
        "runtime": "./pyodide/",
        "numpy": "./numpy.zip",
        "site_packages": SITE_PACKAGES,
        "libraries": [
            {"path": library.path, "url": f"./{library.name}"} for library in libraries()
        ],
        "code": (PAGE / "imports.py").read_text("utf-8"),
        "ours": {path.stem: path.read_text("utf-8") for path in OURS},
    }


def _run(chromium: Path, url: str, given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        with sync_playwright() as playwright:
            started = playwright.chromium.launch(
                executable_path=chromium, args=browser.launch_args()
            )
            try:
                page = started.new_page()
                page.goto(url)
                page.evaluate("(given) => record(given)", given)
                end = time.monotonic() + SECONDS
                while (outcome := page.evaluate("() => outcome")) is None:
                    if time.monotonic() > end:
                        raise BuildError(f"Recording the snapshot took over {SECONDS} s.")
                    page.wait_for_timeout(100)
            finally:
                started.close()
    except Error as error:
        raise BuildError(f"{chromium} could not record the snapshot: {error}") from error
    if "error" in outcome:
        raise BuildError(f"Recording the snapshot failed: {outcome['error']}")
    value: dict[str, Any] = outcome["value"]
    return value


class _Received:
    """Takes what the page PUTs, in front of the server: each body by its name."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}

    def __call__(self, inner: ASGIApp) -> ASGIApp:
        async def receiving(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["method"] != "PUT":
                await inner(scope, receive, send)
                return
            pieces = []
            more = True
            while more:
                message = await receive()
                pieces.append(message.get("body", b""))
                more = message.get("more_body", False)
            self.bodies[scope["path"].removeprefix("/")] = b"".join(pieces)
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

        return receiving
