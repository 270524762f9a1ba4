"""A new version of the page: announced, taken up when the person wants it, no tab breaks."""

from __future__ import annotations

import neighbours
import pytest
import visit
from page_photos import CATS, READY

from builder.server import serving

LOOK = "async () => { await (await navigator.serviceWorker.getRegistration()).update() }"
SPARE = 1e6
"""Bytes, of the model's 5 million."""

NOTED = "() => document.querySelector('[data-note=page-update]')?.textContent ?? ''"


@pytest.fixture(scope="module")
def story(dist, browser, tmp_path_factory, until):
    """Two tabs on the old build; the host has a new one, which waits."""
    folder = neighbours.copied(dist, tmp_path_factory.mktemp("updated") / "site")
    with serving(folder) as url, visit.watched(browser, url) as context:
        old = context.new_page()
        old.goto(url)
        until(old, visit.OFFLINE_READY)
        other = context.new_page()
        other.goto(url)
        until(other, READY)
        before = old.evaluate("() => satchel.site.build")
        url.log.clear()
        build = neighbours.deploy_another_build(folder)
        old.evaluate(LOOK)
        yield {"old": old, "other": other, "before": before, "build": build, "url": url}


def test_it_is_announced_in_every_tab_and_changes_nothing_by_itself(story, until):
    for tab in (story["old"], story["other"]):
        until(tab, f"() => ({NOTED})().includes('Reload to update')")
        assert tab.evaluate("() => satchel.site.build") == story["before"]
        assert visit.label(tab, until, name="before.jpg") in CATS


def test_who_asks_for_it_gets_it_and_fetches_only_what_changed(story, until):
    story["other"].get_by_role("button", name="Reload to update").click()
    until(
        story["other"],
        f"() => globalThis.satchel?.site.build === '{story['build']}' && ({READY})()",
    )
    assert visit.label(story["other"], until, name="after.jpg") in CATS
    sent = [answer for answer in story["url"].log if answer.bytes]
    asked = {answer.path for answer in sent if answer.status == 200}
    places = "/runtime/", "/wheels/", "/models/manifests/"
    heavy = {path for path in asked if path.startswith(places)}
    assert not heavy
    # Variants for hard times may come meanwhile: what they don't share with the one that is here.
    assert sum(answer.bytes for answer in sent if "/models/blobs/" in answer.path) < SPARE
    assert any(path.startswith("/assets/inference.") for path in asked)


def test_the_tab_that_stays_works_on_even_with_files_that_the_host_no_longer_has(story, until):
    old = story["old"]
    until(old, f"() => ({NOTED})().includes('Another tab has gone on')")
    assert visit.label(old, until, name="on.jpg") in CATS
    # Its inference worker has to be replaced: the script comes from the old build.
    visit.end_inference(old)
    assert visit.label(old, until, name="replaced.jpg") in CATS
    assert old.evaluate("() => satchel.site.build") == story["before"]


def test_a_reload_takes_the_tab_that_stayed_along(story, until):
    old = story["old"]
    old.reload()
    until(old, READY)
    assert old.evaluate("() => satchel.site.build") == story["build"]
    assert visit.label(old, until) in CATS
    until(old, "async () => (await caches.keys()).length === 1")
