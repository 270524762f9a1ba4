"""A disk that is really full, at each write of an update: nothing changes, and room is enough.

The disk fills up while the update is under way: a browser that sees it before doesn't let it begin.
Chromium drops a whole site, model and all, within half a minute when less than a tenth of the disk
is free, whatever it promised (`navigator.storage.persist`). `--unlimited-storage` keeps it from
that, and from counting by itself, so that it is the disk that says no.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from pathlib import Path

import pytest
import visit
from endings import WHOLE
from home import MODEL, at_home
from page_photos import CATS, READY

ROOMS = (300_000, 700_000, 1_200_000, 1_900_000, 2_800_000, 4_000_000)
"""Bytes that are left: for a record, for some of the download, for all of it but not for the whole
file, which is put in its place by the last write."""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with at_home(tmp_path_factory.mktemp("disk")) as host:
        yield host


@pytest.fixture
def disk(small_disk):
    """What pages store, on a file system of its own."""
    return small_disk(200)


@contextlib.contextmanager
def left(folder: Path, size: int):
    """Leave no more than so many bytes of a disk free, for as long as the block runs."""
    ballast, over = folder / "ballast", threading.Event()
    with ballast.open("wb") as file:

        def fill() -> None:
            while (free := shutil.disk_usage(folder).free - size) > 4096:
                with contextlib.suppress(OSError):  # the browser writes meanwhile
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, free)

        def go_on() -> None:
            while not over.wait(0.002):  # the browser gives up caches of its own to make room
                fill()

        fill()
        filling = threading.Thread(target=go_on)
        filling.start()
        try:
            yield
        finally:
            over.set()
            filling.join()
    ballast.unlink()


BEGIN = """(model) => {
  globalThis.outcome = null;
  satchel.engine.call("fetch", [model]).then(
    () => { globalThis.outcome = {}; },
    ({ name, message }) => { globalThis.outcome = { error: name, message }; },
  );
}"""


def recovered(page, host) -> dict:
    """What is stored, once the browser has its own files in order again."""
    end = time.monotonic() + 30
    while True:
        try:
            return whole(page, host)
        except AssertionError:
            if time.monotonic() > end:
                raise
            page.wait_for_timeout(200)


@pytest.mark.heavy
def test_wherever_the_disk_is_full_nothing_changes_and_room_is_enough(
    disk, host, profile, watch, until, record_property
):
    watch.allow_origin(host.address)
    watch.expect("")  # what the browser itself says about its disk
    ends = []
    with profile("--unlimited-storage") as context:
        page = context.new_page()
        page.goto(host.url("disk"))
        until(page, READY)
        for room in ROOMS:
            host.lead("disk", "new")
            asked(page, "check")
            host.lead("disk", "new", {"path": host.home.blob, "fault": "stall"})
            page.evaluate(BEGIN, MODEL)
            while not host.stalled("disk"):
                page.wait_for_timeout(20)
            with left(disk, room):
                host.lead("disk", "new")
                answer = until(page, "() => globalThis.outcome")
            ends.append(answer.get("error", "done"))
            assert answer["error"] in ("StorageFullError", "StorageError"), answer
            assert recovered(page, host)["active"] == "1.0.0"
            assert visit.label(page, until, name=f"{room}.jpg") in CATS
            asked(page, "discard", MODEL)
        assert "StorageFullError" in ends
        asked(page, "check")
        asked(page, "fetch", MODEL)
        assert whole(page, host)["active"] == "1.1.0"
        assert visit.label(page, until, name="last.jpg") in CATS
    record_property("figure", f"a full disk: {dict(zip(ROOMS, ends, strict=False))}")


def whole(page, host) -> dict:
    """Look into the store, without the engine."""
    found = page.evaluate(WHOLE, [MODEL, f"{host.address}truth/models/blobs/"])
    assert not found["problems"], found["problems"]
    return found


def asked(page, op: str, *args: object) -> None:
    """Ask the engine for an operation that works."""
    answer = visit.call(page, op, *args)
    assert "value" in answer, answer
