"""What updates need comes in an archive of its own, when it is asked for, and not before."""

from __future__ import annotations

import json

import pytest
import visit
from page_photos import READY

from builder.server import serving

LATER = """
import gc, json, sys
from later import Later
later = next(each for each in gc.get_objects() if isinstance(each, Later))
"""

CHECK = (
    LATER
    + """
import js
before = set(sys.modules)
await later.load_updates()
from satchel import platform
from satchel.trust import Trust
urls, trust = later.site("urls"), later.site("trust")
page = js.URL.new("../", js.location.href)
found = await Trust(
    platform.current(),
    metadata_url=js.URL.new(urls["metadata"], page).href,
    manifests_url=js.URL.new(urls["manifests"], page).href,
    root=trust["root"].encode(),
    name=trust["id"],
).manifests([model["id"] for model in later.site("models")])
json.dumps({name: len(data) for name, data in found.items()})
"""
)

FETCHED = """() => Object.fromEntries(performance.getEntriesByType("resource")
  .map(({ name, startTime }) => [name, performance.timeOrigin + startTime]))"""

ANSWERED = """async (photo) => {
  const image = await (await fetch(photo)).blob();
  await satchel.engine.call("label", [image, 1]);
  return performance.timeOrigin + performance.now();
}"""


def run(page, code):
    """Run Python where the engine runs, with await, and return its last expression from JSON."""
    (worker,) = visit.workers(page, "engine.worker")
    return json.loads(worker.evaluate("(code) => pyodide.runPythonAsync(code)", code))


def fetched(page, words):
    """When the engine's worker began to fetch what has these words in its URL, by URL."""
    (worker,) = visit.workers(page, "engine.worker")
    return {url: at for url, at in worker.evaluate(FETCHED).items() if words in url}


@pytest.fixture(scope="module")
def host(dist):
    """URL of the site."""
    with serving(dist) as url:
        yield url


@pytest.fixture(scope="module")
def visitor(browser, host, until):
    """Somebody who was here before, and whose page is ready for going offline."""
    with visit.watched(browser, host) as context:
        # The root after the newest one: that there is none tells a client that it is the newest.
        context.watch.expect("404 (Not Found)")
        page = context.new_page()
        page.goto(host)
        until(page, visit.OFFLINE_READY)
        page.close()
        yield context


def test_nothing_of_it_is_loaded_on_the_way_to_a_label(visitor, host, until):
    page = visitor.new_page()
    page.goto(host)
    answered = page.evaluate(ANSWERED, "samples/chelsea.jpg")  # asked before Python is there
    until(page, READY)
    run(page, CHECK)
    assert all(at > answered for at in fetched(page, "/assets/updates.").values())
    assert all(at > answered for at in fetched(page, "/metadata/").values())
    assert fetched(page, "/assets/updates.")
    page.close()


def test_a_check_verifies_this_site_s_own_signatures_and_needs_no_other_archive(
    visitor, host, until
):
    page = visitor.new_page()
    page.goto(host)
    until(page, READY)
    found = run(page, CHECK)
    (model,) = visit.call(page, "status")["value"]["models"]
    assert set(found) == {model["id"]}
    assert fetched(page, "/assets/updates.")
    assert not fetched(page, "python_stdlib")
    page.close()


def test_it_comes_without_a_network_too(visitor, host, until):
    page = visitor.new_page()
    page.goto(host)
    until(page, visit.OFFLINE_READY)
    visitor.set_offline(True)
    try:
        page.reload()
        until(page, READY)
        said = run(
            page,
            LATER
            + """
await later.load_updates()
import satchel.trust
json.dumps("tuf.ngclient.updater" in sys.modules)
""",
        )
    finally:
        visitor.set_offline(False)
    assert said is True
    page.close()


@pytest.mark.heavy
def test_it_works_where_python_was_started_the_ordinary_way(visitor, host, until):
    page = visitor.new_page()
    page.goto(f"{host}?boot=plain")
    until(page, READY)
    assert visit.how_started(page)["kind"] == "plain"
    assert run(page, CHECK)
    page.close()
