"""Downloads from servers and networks that fail: what was verified stays, and the rest is fetched.

In Chromium, against a real server; each test has a store of its own in the browser's IndexedDB.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import random

import bare_page
import fileserver
import pytest

from builder.server import serving
from satchel.chunks import Chunk, encode

SIZE = 3_000_000
UNREAD = 1024 * 1024
"""Most that a browser keeps ready for a busy page."""

BATCH = 1024 * 1024
"""Most that may be verified and not committed (`satchel.keeping`)."""

PRELUDE = """
import asyncio, contextlib, hashlib, json
import micropip
from js import location, URL
base = URL.new("./", location.href).href
await micropip.install(base + "wheels/satchel-0.1.0-py3-none-any.whl")
import satchel
from satchel import transfer
from satchel.chunks import decode
from satchel.digests import verified
from satchel.manifest import Reference
from satchel.platform import DeleteParts, PutPart
from satchel.platform.browser import BrowserPlatform
from satchel.platform.browser.fetcher import BrowserFetcher

class Counted:
    def __init__(self, fetcher, answer):
        self._fetcher, self._answer = fetcher, answer
        self.whole, self.start = answer.whole, answer.start
    async def __aiter__(self):
        async for piece in self._answer:
            self._fetcher.read += piece.size
            yield piece

class CountingFetcher(BrowserFetcher):
    read = 0
    @contextlib.asynccontextmanager
    async def get(self, url, span=None, **more):
        async with super().get(url, span, **more) as answer:
            yield Counted(self, answer)

async def get(scope, url, index, sha256, size, *, cancel_at=None, sources=(), **limits):
    satchel.configure(scope=scope)
    platform = BrowserPlatform()
    platform.fetcher = CountingFetcher()
    wanted = transfer.plan(
        Reference(sha256, size), decode(bytes.fromhex(index), size), sources,
        await platform.store.parts(sha256),
    )
    told = []
    def progress(received, total):
        told.append(received)
        assert total == wanted.download_size
        if cancel_at is not None and received >= cancel_at:
            task.cancel()
    outcome = {"error": None}
    limits = transfer.Limits(**{"first_wait": 0.02, "longest_wait": 0.1, **limits})
    task = asyncio.ensure_future(transfer.download(platform, url, wanted, progress, limits=limits))
    try:
        await task
        blob = await transfer.assemble(platform, wanted)
        outcome["verified"] = await verified(blob, wanted.wanted)
    except asyncio.CancelledError:
        outcome["error"] = "CancelledError"
    except satchel.SatchelError as error:
        outcome |= {"error": type(error).__name__, "message": str(error)}
        outcome |= {name: getattr(error, name, None) for name in ("status", "retry_after")}
    assert told == sorted(set(told)) and told[-1] <= wanted.download_size, told
    sizes = await platform.store.part_sizes()
    wrong = 0
    for part in await platform.store.parts(sha256):
        for chunk in wanted.chunks:
            start = chunk.start - part.start
            if 0 <= start and start + chunk.size <= part.blob.size:
                data = await part.blob.read(start, start + chunk.size)
                wrong += hashlib.sha256(data).hexdigest() != chunk.sha256
    await platform.store.close()
    return json.dumps(outcome | {
        "told": told[-1], "total": wanted.download_size, "read": platform.fetcher.read,
        "here": sizes.get(sha256, 0), "wrong": wrong,
    })
"null"
"""


def chunked(data, smallest=16 * 1024, largest=256 * 1024):
    sizes, start, chunks = random.Random(3), 0, []
    while start < len(data):
        piece = data[start : start + sizes.randint(smallest, largest)]
        chunks.append(Chunk(hashlib.sha256(piece).hexdigest(), start, len(piece)))
        start += len(piece)
    return chunks


class Opened:
    """A page with Pyodide, and a file on a server that misbehaves."""

    _scopes = itertools.count()

    def __init__(self, page, url, server, chunks):
        self.page, self.url, self.server, self.chunks = page, url, server, chunks
        self.fresh()

    def fresh(self):
        """Start with an empty store and an honest server."""
        self.server.reset()
        self.scope = f"faults-{next(self._scopes)}"
        return self

    def get(self, path="file", chunks=None, data=None, **more):
        """Download the file, or go on with it, and say how it went; nothing wrong is ever kept."""
        chunks, data = chunks or self.chunks, data or self.server.data
        arguments = {
            "scope": self.scope,
            "url": path if path.startswith("http") else self.url + path,
            "index": encode(chunks).hex(),
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            **more,
        }
        outcome = bare_page.run(self.page, f"await get(**json.loads({json.dumps(arguments)!r}))")
        assert outcome["wrong"] == 0
        return outcome

    def complete(self, outcome):
        """The file is here, whole, and progress said so."""
        assert outcome["error"] is None, outcome
        assert outcome["verified"]
        assert outcome["here"] == len(self.server.data)
        assert outcome["told"] == outcome["total"]
        return True

    @property
    def largest(self):
        return max(chunk.size for chunk in self.chunks)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bare") / "page"
    bare_page.make(folder)
    return folder


@contextlib.contextmanager
def opening(bare, browser, data):
    server = fileserver.FileServer(data)
    with serving(bare, plain=True, wrap=server) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        bare_page.run(page, PRELUDE)
        yield Opened(page, url, server, chunked(data))
        server.closing = True
        context.close()


@pytest.fixture(scope="module")
def opened(bare, browser):
    with opening(bare, browser, random.Random(1).randbytes(SIZE)) as found:
        yield found


@pytest.fixture
def site(opened):
    return opened.fresh()


def test_a_file_comes_in_one_request_without_a_range(site):
    assert site.complete(site.get())
    assert site.server.asked == [None]


@pytest.mark.parametrize("offset", [0, 1, 1_000_000, SIZE - 1])
def test_after_a_cut_only_the_rest_is_asked_for(site, offset):
    site.server.script.append(fileserver.cut_at(offset))
    outcome = site.get()
    assert site.complete(outcome)
    first, again = site.server.asked
    assert first is None
    # What the browser had and nobody had read yet is gone with the connection.
    assert offset - site.largest - UNREAD <= (again or (0,))[0] <= offset
    assert outcome["read"] <= SIZE + site.largest


def test_an_end_that_comes_too_early_is_not_taken_for_the_end(site):
    site.server.script.extend([fileserver.ends_at(1_000_000), fileserver.ends_at(2_000_000)])
    assert site.complete(site.get())
    assert len(site.server.asked) == 3


def test_a_body_that_always_ends_early_is_given_up(site):
    site.server.always = fileserver.ends_at(1_000_000)
    outcome = site.get()
    assert outcome["error"] == "IntegrityError"
    assert f"of {SIZE} bytes came" in outcome["message"]
    assert 1_000_000 - site.largest <= outcome["here"] <= 1_000_000
    assert len(site.server.asked) == 1 + 3
    site.server.reset()
    outcome = site.get()
    assert site.complete(outcome)
    assert outcome["read"] <= SIZE - 1_000_000 + site.largest


def test_a_host_without_ranges_is_asked_once_and_what_is_here_is_let_by(site):
    site.server.script.append(fileserver.cut_at(1_000_000))
    site.server.always = fileserver.whole
    outcome = site.get()
    assert site.complete(outcome)
    assert len(site.server.asked) == 2
    assert outcome["read"] <= 1_000_000 + SIZE


def test_a_host_that_gives_little_at_a_time_is_asked_on(site):
    site.server.always = fileserver.stingy(700_000)
    outcome = site.get()
    assert site.complete(outcome)
    assert outcome["read"] <= SIZE + len(site.server.asked) * site.largest


@pytest.mark.parametrize(
    "ranges",
    [
        fileserver.compressed,
        fileserver.shifted(5000, lying=True),
        fileserver.shifted(-5000, lying=True),
        fileserver.refuses(416),
    ],
)
def test_a_host_that_spoils_ranges_is_asked_for_the_whole_file(site, ranges):
    site.server.script.append(fileserver.cut_at(1_000_000))
    site.server.always = lambda server, span, send: (
        ranges(server, span, send) if span else fileserver.honest(server, span, send)
    )
    assert site.complete(site.get())
    assert site.server.asked[-1] is None
    assert len(site.server.asked) == 4


def test_an_answer_with_other_bytes_that_says_so_is_used_as_far_as_it_goes(site):
    site.server.script.append(fileserver.cut_at(1_000_000))
    site.server.script.append(fileserver.shifted(500_000, lying=False))
    outcome = site.get()
    assert site.complete(outcome)
    assert outcome["read"] <= SIZE + 3 * site.largest


def test_what_comes_beyond_what_was_asked_for_is_not_read(site):
    site.server.script.append(fileserver.cut_at(1_000_000))
    site.server.always = fileserver.generous
    assert site.complete(site.get())
    assert len(site.server.asked) == 2


def test_a_spoilt_chunk_is_fetched_again(site):
    site.server.script.append(fileserver.flipped(1_500_000))
    outcome = site.get()
    assert site.complete(outcome)
    assert outcome["read"] <= SIZE + BATCH  # what is read at a time


def test_a_chunk_that_stays_spoilt_is_an_error_that_names_the_file_and_the_rest_is_kept(site):
    site.server.always = fileserver.flipped(1_500_000)
    outcome = site.get()
    assert outcome["error"] == "IntegrityError"
    assert "/file" in outcome["message"]
    assert "SHA-256" in outcome["message"]
    assert len(site.server.asked) == 1 + 3
    assert 1_500_000 - site.largest <= outcome["here"] <= 1_500_000
    site.server.reset()
    outcome = site.get()
    assert site.complete(outcome)
    assert outcome["read"] == SIZE - site.server.asked[0][0]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_that_stays_is_not_asked_again(site, status):
    site.server.always = fileserver.refuses(status)
    outcome = site.get()
    assert (outcome["error"], outcome["status"]) == ("NetworkError", status)
    assert len(site.server.asked) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_refusal_that_may_pass_is_asked_again(site, status):
    site.server.script.extend([fileserver.refuses(status)] * 2)
    assert site.complete(site.get())
    assert len(site.server.asked) == 3


def test_a_server_that_goes_on_refusing_is_given_up(site):
    site.server.always = fileserver.refuses(500)
    outcome = site.get()
    assert (outcome["error"], outcome["status"]) == ("NetworkError", 500)
    assert len(site.server.asked) == 5


def test_a_server_gets_the_rest_that_it_asks_for(site):
    site.server.script.append(fileserver.refuses(429, (b"retry-after", b"1")))
    assert site.complete(site.get())
    first, second = site.server.at
    assert second - first >= 1


def test_a_server_that_wants_a_long_rest_is_left_alone_and_the_error_says_how_long(site):
    site.server.always = fileserver.refuses(503, (b"retry-after", b"3600"))
    outcome = site.get()
    assert (outcome["error"], outcome["retry_after"]) == ("NetworkError", 3600)
    assert len(site.server.asked) == 1


def test_a_connection_on_which_nothing_comes_any_more_is_given_up_and_resumed(site):
    site.server.script.append(fileserver.stalls_at(1_000_000))
    outcome = site.get(stall=0.5)
    assert site.complete(outcome)
    assert outcome["read"] <= SIZE + site.largest


def test_a_server_that_never_answers_is_given_up(site):
    site.server.always = fileserver.stalls_at(None)
    outcome = site.get(stall=0.2, attempts=2)
    assert outcome["error"] == "NetworkError"
    assert "Nothing came any more" in outcome["message"]
    assert len(site.server.asked) == 2


def test_nobody_there_is_a_network_error(site):
    outcome = site.get("http://127.0.0.1:9/file")
    assert (outcome["error"], outcome["status"]) == ("NetworkError", None)


def test_redirects_are_followed_ranges_included(site):
    site.server.script.append(fileserver.redirect)
    site.server.script.append(fileserver.cut_at(1_000_000))
    assert site.complete(site.get("file"))
    assert [span is None for span in site.server.asked] == [True, True, False]
    assert site.complete(site.fresh().get("file/moved"))


def test_a_cancelled_download_keeps_what_came_and_goes_on_from_there(site):
    outcome = site.get(cancel_at=2_000_000)
    assert outcome["error"] == "CancelledError"
    assert outcome["here"] >= 2_000_000 - site.largest
    rest = site.get()
    assert site.complete(rest)
    assert rest["read"] == SIZE - outcome["here"]


def test_a_page_that_goes_away_keeps_what_a_slow_network_brought(site):
    page = site.page.context.new_page()
    page.goto(site.url)
    other = Opened(page, site.url, site.server, site.chunks)
    other.server.script.append(fileserver.stalls_at(2_000_000))
    bare_page.run(page, PRELUDE)
    arguments = {
        "scope": other.scope, "url": site.url + "file", "index": encode(site.chunks).hex(),
        "sha256": hashlib.sha256(site.server.data).hexdigest(), "size": SIZE,
    }  # fmt: skip
    page.evaluate("(c) => run(c)", f"await get(**json.loads({json.dumps(arguments)!r}))")
    while not site.server.waiting:
        page.wait_for_timeout(20)
    page.wait_for_timeout(1000)  # four times what it may take
    page.close()
    site.scope = other.scope
    site.server.script.clear()
    outcome = site.get()
    assert site.complete(outcome)
    assert outcome["read"] <= SIZE - 2_000_000 + site.largest


def test_a_full_device_keeps_what_came_and_room_is_enough_to_go_on(bare, browser):
    with opening(bare, browser, random.Random(1).randbytes(SIZE)) as site:
        full_and_free_again(site)


def full_and_free_again(site):
    session = site.page.context.new_cdp_session(site.page)
    origin = site.url.rstrip("/")
    used = site.page.evaluate("async () => (await navigator.storage.estimate()).usage")
    session.send(
        "Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": used + 1_700_000}
    )
    outcome = site.get()
    assert outcome["error"] == "StorageFullError"
    assert "no room" in outcome["message"]
    assert 0 < outcome["here"] < 1_700_000
    session.send("Storage.overrideQuotaForOrigin", {"origin": origin})
    rest = site.get()
    assert site.complete(rest)
    assert rest["read"] == SIZE - outcome["here"]


def test_another_origin_that_sends_only_a_star_is_enough(site):
    other = fileserver.FileServer(site.server.data, ((b"access-control-allow-origin", b"*"),))
    other.script.append(fileserver.cut_at(1_000_000))
    with serving(bare_page.HERE, plain=True, wrap=other) as url:
        assert site.complete(site.get(url + "file"))
        other.closing = True
    assert other.methods == ["GET", "GET"]  # nothing had to be asked before
    assert other.asked[1] is not None


def test_of_a_changed_file_only_what_changed_is_fetched(site):
    old = site.server.data
    changed = random.Random(9).randbytes(200_000)
    new = old[:1_200_000] + changed + old[1_400_000:]
    theirs = {chunk.sha256 for chunk in site.chunks}
    chunks, start = [], 0
    for chunk in site.chunks:  # borders by content: those outside of the change stay
        piece = new[start : start + chunk.size]
        chunks.append(Chunk(hashlib.sha256(piece).hexdigest(), start, len(piece)))
        start += len(piece)
    assert len({chunk.sha256 for chunk in chunks} - theirs) < 6
    assert site.complete(site.get())
    # The first file's parts serve as the second one's: what is the same, at the same place.
    site.server.data = new
    try:
        outcome = run_delta(site, old, new, chunks)
    finally:
        site.server.data = old
    assert outcome["error"] is None
    assert outcome["read"] <= 200_000 + 2 * site.largest


def run_delta(site, old, new, chunks):
    """Get `new` with `old`, which is in the store, as its source."""
    arguments = {
        "scope": site.scope, "url": site.url + "file", "index": encode(chunks).hex(),
        "sha256": hashlib.sha256(new).hexdigest(), "size": len(new),
    }  # fmt: skip
    code = f"""
from satchel.transfer import Source
arguments = json.loads({json.dumps(arguments)!r})
satchel.configure(scope=arguments["scope"])
platform = BrowserPlatform()
old = transfer.plan(Reference({hashlib.sha256(old).hexdigest()!r}, {len(old)}),
                    decode(bytes.fromhex({encode(site.chunks).hex()!r}), {len(old)}))
source = Source(await transfer.assemble(platform, old), old.chunks)
await get(sources=[source], **arguments)
"""
    return bare_page.run(site.page, code)


@pytest.mark.heavy
def test_twenty_megabytes_cut_at_25_places_cost_a_batch_and_a_chunk_each_at_most(bare, browser):
    size, cuts = 20_000_000, 25
    places = random.Random(5)
    with opening(bare, browser, random.Random(2).randbytes(size)) as site:
        site.server.script.extend(
            fileserver.cut_at(offset)
            for offset in sorted(places.randrange(size) for _ in range(cuts))
        )
        outcome = site.get()
        assert site.complete(outcome)
        assert len(site.server.asked) == cuts + 1
        assert outcome["read"] <= size + cuts * (BATCH + site.largest)
        # What a cut really costs is the chunk that it hit.
        assert outcome["read"] <= size + cuts * site.largest
