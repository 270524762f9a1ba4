"""What is fetched: everything once on a first visit, and next to nothing on a later one."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import visit
from page_photos import CATS, READY

from builder.bench import firstvisit
from builder.server import serving
from tests.conftest import some

SHELL = 16e6
PAGE = {"a good host": 200e3, "a plain host": 220e3}
MODEL = 5e6
"""Bytes that a first visit may cost; the model's with the golden set that it is tried out with."""

HOSTS = {"a good host": {}, "a plain host": {"plain": True}}


@pytest.fixture(scope="module", params=some(HOSTS, ["a good host"]))
def first(request, dist):
    """What a host answered to a first visitor, until all was kept."""
    return firstvisit.visit(dist, **HOSTS[request.param])


def test_a_first_visit_fetches_nothing_twice(first):
    # A look for updates gets the manifest as it is signed now: a kilobyte, mostly the pinned one.
    rest = [answer for answer in first if "/models/m" not in answer.path]
    whole = Counter(answer.path for answer in rest if answer.status == 200)
    assert {path for path, times in whole.items() if times > 1} == set()
    assert {answer.status for answer in rest} <= {200, 304}


def test_a_first_visit_stays_within_its_budget(first):
    sizes = dict(firstvisit.by_part(first))
    assert sizes.pop("model") < MODEL
    assert sum(sizes.values()) < SHELL


def test_the_interface_is_small_also_where_nothing_is_compressed(first, request):
    host = request.node.callspec.params["first"]
    assert firstvisit.by_part(first)["page"] < PAGE[host]


ORDER = {
    "interface": r"/assets/interface\.|/micropython",
    "engine": r"asm\.wasm|umath\.wasm|(simd-threaded|litert_wasm\w+)\.wasm|python\.snapshot",
    "model": r"/models/blobs/",
    "rest": r"python_stdlib|numpy\.zip|/notices",
}
"""What comes whole one after the other, by path."""


def test_what_is_needed_first_comes_first(first):
    whole = [answer.path for answer in first if answer.status == 200]
    came = [name for path in whole for name in ORDER if re.search(ORDER[name], path)]
    assert came == sorted(came, key=list(ORDER).index)


@pytest.mark.heavy
def test_a_ten_line_change_of_the_engine_costs_kilobytes(dist):
    from builder import site
    from builder.paths import ROOT

    assert firstvisit.update(site.load(ROOT / "site.toml"), dist) < 300e3


def test_a_warm_start_asks_the_host_for_nothing_large(dist, profile, watch, until):
    with serving(dist) as url:
        watch.allow_origin(url)
        with profile() as context:
            page = context.new_page()
            page.goto(url)
            until(page, visit.OFFLINE_READY)
            until(page, f"async () => ({visit.KEPT_SNAPSHOT})().then((size) => size > 1e6)")
        url.log.clear()
        asked = []
        with profile() as context:
            context.on("request", lambda request: asked.append(request.url))
            page = context.new_page()
            page.goto(url)
            until(page, READY)
            assert visit.label(page, until) in CATS
            assert visit.how_started(page)["kind"] == "snapshot"
            page.wait_for_timeout(500)  # the browser looks for an update then
        # Chromium may ask for the page itself, to be there before a worker that has to start first.
        assert {answer.path for answer in url.log} <= {"/", "/sw.js"}
        # From the service worker neither: what the snapshot holds, or nobody imports, isn't read.
        names = "snapshot.zst", "python_stdlib", "numpy.zip", "pyodide-lock"
        assert [url for url in asked if any(name in url for name in names)] == []
