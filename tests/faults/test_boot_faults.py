"""Whatever is wrong with a snapshot, Python starts the ordinary way, and the page says why."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import visit
import zstandard
from page_photos import CATS, READY

from builder import wire
from builder.scripts import json_for_html
from builder.server import serving
from builder.snapshot import pack
from tests.conftest import some

MARK = '<script type="application/json" id="site">'


@dataclass
class Site:
    """A copy of the built site whose snapshot can be spoilt."""

    folder: Path

    @property
    def about(self) -> dict[str, object]:
        return json.JSONDecoder().raw_decode(self._index().partition(MARK)[2])[0]

    @property
    def snapshot(self) -> Path:
        return self.folder / self.about["snapshot"]["url"]

    def say(self, change: Callable[[dict], None]) -> None:
        """Change what the page knows about its build."""
        before, _, rest = self._index().partition(MARK)
        about, end = json.JSONDecoder().raw_decode(rest)
        change(about)
        text = before + MARK + json_for_html(about) + rest[end:]
        (self.folder / "index.html").write_text(text, "utf-8")

    def pretend(self, header: Callable[[dict], None], body: Callable[[bytearray], None]) -> None:
        """Spoil what is inside, and let the page promise just that."""
        packed = wire.unpacked(self.snapshot.read_bytes())
        parsed, behind = pack.split(packed)
        header(parsed)
        rest = bytearray(behind)
        body(rest)
        spoilt = pack.joined(parsed, bytes(rest))
        self.snapshot.write_bytes(zstandard.compress(spoilt, 1))
        promise = {"sha256": hashlib.sha256(spoilt).hexdigest(), "bytes": len(spoilt)}
        self.say(lambda about: about["snapshot"].update(promise))

    def _index(self) -> str:
        return (self.folder / "index.html").read_text("utf-8")


@pytest.fixture
def site(dist, tmp_path):
    shutil.copytree(dist, tmp_path / "site", copy_function=os.link)
    made = Site(tmp_path / "site")
    # What a test changes must not be the built site's own file.
    for path in (made.folder / "index.html", made.snapshot):
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    return made


def nothing(_):
    """Leave it as it is."""


def truncated(site):
    site.snapshot.write_bytes(site.snapshot.read_bytes()[:-1000])


def empty(site):
    site.snapshot.write_bytes(b"")


def missing(site):
    site.snapshot.unlink()


def garbled(site):
    """Zstandard as far as anyone can tell by its beginning."""
    packed = bytearray(site.snapshot.read_bytes())
    packed[1000:2000] = bytes(1000)
    site.snapshot.write_bytes(packed)


def other_content(site):
    site.snapshot.write_bytes(b"<!doctype html><title>Not found</title>")


def flipped(site):
    """One bit, in a stream that is whole."""
    packed = bytearray(wire.unpacked(site.snapshot.read_bytes()))
    packed[len(packed) // 2] ^= 1
    site.snapshot.write_bytes(zstandard.compress(bytes(packed), 1))


def longer(site):
    packed = wire.unpacked(site.snapshot.read_bytes())
    site.snapshot.write_bytes(zstandard.compress(packed + b"more", 1))


def other_file(site):
    site.pretend(lambda header: header.update(format=999), nothing)


def wrong_table(site):
    site.pretend(lambda header: header["table"].update(base=header["table"]["base"] + 1), nothing)


def wrong_wasm(site):
    site.pretend(lambda header: header["ids"].update(wasm="0" * 64), nothing)


def wrong_build(site):
    """Pyodide's own id of its build, behind its magic number, two lengths and a zero."""
    site.pretend(nothing, lambda body: body.__setitem__(slice(16, 48), bytes(32)))


def other_version(site):
    site.pretend(lambda header: header["ids"].update(pyodide="999.0.0"), nothing)
    site.say(lambda about: about["snapshot"]["ids"].update(pyodide="999.0.0"))


def no_heap(site):
    """A heap of nothing but zeros."""
    site.pretend(lambda header: header.update(runs=[]), nothing)


def lost_export(site):
    slots = [["", "no such export"]]
    site.pretend(lambda header: header["table"].update(slots=slots), nothing)


FAULTS = {
    truncated: "python.snapshot arrived broken",
    empty: "the snapshot has 0 bytes, not",
    missing: "the snapshot could not be fetched (HTTP 404)",
    garbled: "",
    other_content: "the snapshot has 39 bytes, not",
    flipped: "the snapshot has another SHA-256 than promised",
    longer: "the snapshot is longer than promised",
    other_file: "the snapshot has format 999",
    wrong_table: "the function table has",
    wrong_wasm: "the snapshot was made with wasm 000000",
    wrong_build: "Snapshot build id mismatch",
    other_version: "the snapshot was made with pyodide 314",
    no_heap: "",
    lost_export: "lacks",
}


@pytest.mark.parametrize(
    "fault",
    some(FAULTS, (flipped,)),
    ids=lambda fault: fault.__name__,
)
def test_python_starts_the_ordinary_way_and_says_why(fault, site, browser, until, watch):
    fault(site)
    if fault is missing:
        watch.expect("404")
    with visitor(site, browser, watch) as page:
        until(page, READY)
        boot = visit.how_started(page)
        assert boot["kind"] == "plain"
        assert FAULTS[fault] in boot["reason"]
        assert len(boot["reason"]) > 10
        assert visit.label(page, until) in CATS


@pytest.mark.parametrize(
    "silent",
    some(["getDirectoryHandle", "getFileHandle", "createSyncAccessHandle"], ["getFileHandle"]),
)
def test_a_file_system_that_never_answers_is_not_waited_for(silent, site, browser, until, watch):
    owner = "FileSystemFileHandle" if "Access" in silent else "FileSystemDirectoryHandle"
    worker = site.folder / site.about["urls"]["engine_worker"]
    code = worker.read_text("utf-8")
    worker.unlink()  # it is the built site's own file
    worker.write_text(f"{owner}.prototype.{silent} = () => new Promise(() => {{}});{code}", "utf-8")
    with visitor(site, browser, watch) as page:
        until(page, READY)
        assert visit.how_started(page) == {"kind": "snapshot", "reason": ""}
        assert visit.label(page, until) in CATS


@contextmanager
def visitor(site, browser, watch):
    """Someone without a service worker, which would refuse a build whose files aren't whole."""
    context = browser.new_context(service_workers="block")
    watch.expect("reading 'installing'")  # of Playwright's own stand-in for `register`
    watch.context(context)
    with serving(site.folder) as url:
        watch.allow_origin(url)
        page = context.new_page()
        page.goto(url)
        yield page
        context.close()


@pytest.mark.parametrize("boot", some(["", "?boot=plain"], [""]))
@pytest.mark.parametrize("what", some(["libraries", "wasm", "stdlib", "numpy"], ["libraries"]))
def test_a_part_that_the_host_lost_is_told_where_it_is_needed(
    what, boot, site, browser, until, watch
):
    found = site.about["pyodide"][what]
    found = found[0] if what == "libraries" else found
    (site.folder / (found if isinstance(found, str) else found["url"])).unlink()
    watch.expect("404")
    watch.expect("reading 'installing'")
    watch.expect("standard library")  # Pyodide's own words
    context = browser.new_context(service_workers="block")
    watch.context(context)
    with serving(site.folder) as url:
        watch.allow_origin(url)
        page = context.new_page()
        page.goto(url + boot)
        if what in ("stdlib", "numpy") and not boot:  # the snapshot holds what is in use
            assert visit.label(page, until) in CATS
        else:
            until(page, visit.FAILED)
            assert "could not be fetched (HTTP 404)" in page.inner_text("#setup-why")
        context.close()


IMPORT = """
try:
    import {module}
    said = ""
except Exception as error:
    said = f"{{type(error).__name__}}: {{error}}"
json.dumps(said)
"""


@pytest.mark.heavy
@pytest.mark.parametrize(("what", "module"), [("stdlib", "csv"), ("numpy", "numpy.random")])
def test_what_cannot_be_fetched_when_it_is_imported_is_python_s_error_and_no_more(
    what, module, site, browser, until, watch
):
    found = site.about["pyodide"][what]
    lost = site.folder / (found if isinstance(found, str) else found["url"])
    content = lost.read_bytes()
    lost.unlink()
    watch.expect("404")
    watch.expect("reading 'installing'")
    context = browser.new_context(service_workers="block")
    watch.context(context)
    with serving(site.folder) as url:
        watch.allow_origin(url)
        page = context.new_page()
        page.goto(url)
        assert visit.label(page, until) in CATS
        code = IMPORT.format(module=module)
        assert "Error: " in visit.python(page, code)
        assert visit.label(page, until, name="still.jpg") in CATS
        # When the host has it again, so does Python.
        lost.write_bytes(content)
        assert visit.python(page, code) == ""
        context.close()


SPOIL = """async (how) => {
  const root = await navigator.storage.getDirectory();
  for await (const folder of root.values()) {
    for await (const file of folder.values()) {
      const bytes = new Uint8Array(await (await file.getFile()).arrayBuffer());
      const writable = await file.createWritable();
      if (how === "cut") await writable.write(bytes.subarray(0, bytes.length - 5000));
      if (how === "unsealed") await writable.write(bytes.fill(0, bytes.length - 40));
      if (how === "wrong inside") await writable.write(bytes.fill(7, 100, bytes.length - 40));
      await writable.close();
    }
  }
}"""


@pytest.mark.heavy
@pytest.mark.parametrize("how", ["cut", "empty", "unsealed", "wrong inside"])
def test_a_kept_copy_that_was_spoilt_is_replaced(how, site_url, context, until):
    page = context.new_page()
    page.goto(site_url)
    until(page, visit.OFFLINE_READY)
    wanted = page.evaluate("() => satchel.site.snapshot.bytes")
    until(page, f"async () => ({visit.KEPT_SNAPSHOT})().then((size) => size > {wanted})")
    page.evaluate(SPOIL, how)
    starts = []
    for _ in range(2):
        page.goto(site_url)
        until(page, READY)
        starts.append(visit.how_started(page)["kind"])
        until(page, f"async () => ({visit.KEPT_SNAPSHOT})().then((size) => size !== {wanted})")
        assert visit.label(page, until) in CATS
        page.wait_for_timeout(300)
    # A copy that is whole but wrong is noticed when Python doesn't start from it, and dropped.
    assert starts == (["plain", "snapshot"] if how == "wrong inside" else ["snapshot"] * 2)
