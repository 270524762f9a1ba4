"""A full disk, a newer version's records, a store that has lost something: said, and a way on."""

from __future__ import annotations

import pytest
import visit
from page_photos import CATS, READY

from builder.server import serving

OPEN = """
const { name } = (await indexedDB.databases()).find(({ name }) => name.startsWith("satchel:"));
const database = await new Promise((resolve, reject) => {
  const request = indexedDB.open(name%s);
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
"""
WRITE = (
    "async () => {"
    + OPEN % ""
    + """
  const transaction = database.transaction(["meta", "blobs"], "readwrite");
  %s;
  await new Promise((done) => { transaction.oncomplete = done; });
  database.close();
}"""
)
NEWER_SCHEMA = """transaction.objectStore("meta").put('{"schema": 99}', "schema")"""
LOST_BLOB = """transaction.objectStore("blobs").clear()"""


def quota(page, url: str, size: int | None) -> None:
    """Limit what this site may store, in bytes; None: as before."""
    session = page.context.new_cdp_session(page)
    limit = {} if size is None else {"quotaSize": size}
    session.send("Storage.overrideQuotaForOrigin", {"origin": url.rstrip("/"), **limit})


def test_a_full_device_is_said_plainly_nothing_stays_half_and_room_is_enough_to_go_on(
    page, site_url, watch, until
):
    watch.expect("Failed to load resource")
    page.goto(site_url + "notices.txt")
    quota(page, site_url, 1_000_000)
    page.goto(site_url)
    until(page, visit.FAILED)
    why = page.inner_text("#setup-why")
    assert "no room" in why
    assert "Free some space" in why
    assert visit.stored(page) == {"models": 0, "blobs": 0}
    assert page.get_by_test_id("offline-ready").get_attribute("data-state") == "no"
    quota(page, site_url, None)
    page.get_by_role("button", name="Try again").click()
    assert visit.label(page, until) in CATS
    page.reload()
    until(page, visit.OFFLINE_READY)


@pytest.fixture(scope="module")
def visited(dist, browser, until):
    with serving(dist) as url, visit.watched(browser, url) as context:
        page = context.new_page()
        page.goto(url)
        until(page, visit.OFFLINE_READY)
        yield page


@pytest.mark.heavy
def test_a_store_that_lost_the_model_gets_it_again(visited, until):
    visited.evaluate(WRITE % LOST_BLOB)
    visited.reload()
    assert visit.label(visited, until, name="again.jpg") in CATS
    assert visit.stored_the_model(visited)


def test_records_of_a_newer_version_are_left_alone_and_the_page_asks_to_be_reloaded(visited, until):
    visited.evaluate(WRITE % NEWER_SCHEMA)
    visited.reload()
    until(visited, visit.FAILED)
    assert "Reload the page" in visited.inner_text("#setup-why")
    assert visit.stored_the_model(visited)


def test_a_database_of_a_newer_version_is_left_alone_too(visited):
    visited.evaluate("async () => {" + OPEN % ", 99" + "database.close(); }")
    answer = visit.call(visited, "install", visit.MODEL)
    assert answer["error"] == "SchemaError"
    assert "newer version" in answer["message"]
    assert "Reload the page" in answer["message"]


def test_on_a_disk_that_is_really_full_the_page_says_what_is_wrong(
    small_disk, profile, site_url, watch, until
):
    small_disk(30)  # megabytes: less than the page needs
    watch.expect("")  # what the browser itself says about its disk
    with profile() as context:
        page = context.new_page()
        page.goto(site_url)
        # Either both fit, or what did not is said; in no case does the page wait in silence.
        until(page, f"() => ({READY})() || ({visit.FAILED})()")
        until(page, "() => document.querySelector('[data-note=offline]') !== null", seconds=90)
        if page.evaluate(READY):
            assert visit.label(page, until) in CATS
        else:
            assert "no room" in page.inner_text("#setup-why")
