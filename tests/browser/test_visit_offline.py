"""After one visit the page needs no network: not to reload, not in a new tab, not tomorrow."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
import visit
from page_photos import CATS

from builder.server import serving


@pytest.fixture(scope="module")
def visitor(dist, browser, until):
    """Somebody who has been here once; the host is gone."""
    with ExitStack() as host:
        url = host.enter_context(serving(dist))
        with visit.watched(browser, url) as context:
            page = context.new_page()
            page.goto(url)
            until(page, visit.OFFLINE_READY)
            page.close()
            # `set_offline` would let the browser ask for a new service worker all the same.
            host.close()
            context.address = url
            yield context


def test_offline_a_new_tab_labels_photos_on_as_many_threads_as_before(visitor, until):
    page = visitor.new_page()
    page.goto(visitor.address)
    for photo, right in visit.LABELS.items():
        assert visit.label(page, until, photo) in right
    until(page, visit.OFFLINE_READY)
    status = visit.call(page, "status")["value"]
    assert status["isolated"]
    assert status["threads"] == min(4, page.evaluate("() => navigator.hardwareConcurrency"))


def test_offline_a_reload_changes_nothing(visitor, until):
    page = visitor.pages[0]
    page.reload()
    assert visit.label(page, until) in CATS
    assert page.locator("#setup").is_hidden()


@pytest.mark.heavy
def test_offline_several_tabs_work_side_by_side(visitor, until):
    others = [visitor.new_page() for _ in range(2)]
    for page in others:
        page.goto(visitor.address)
    for page in visitor.pages:
        assert visit.label(page, until, name="another.jpg") in CATS
    for page in others:
        page.close()


def test_offline_everything_on_the_page_is_there(visitor, until):
    page = visitor.pages[0]
    for path in ("notices.txt", "site.webmanifest", "icons/icon.svg", "samples/chelsea.jpg"):
        assert page.evaluate("async (path) => (await fetch(path)).ok", path), path


def test_after_a_restart_of_the_browser_it_still_works_offline(dist, profile, watch, until):
    with serving(dist) as url:
        watch.allow_origin(url)
        with profile() as context:
            page = context.new_page()
            page.goto(url)
            until(page, visit.OFFLINE_READY)
    with profile() as context:
        page = context.new_page()
        page.goto(url)
        assert visit.label(page, until) in CATS
        assert page.evaluate("() => crossOriginIsolated")


def test_on_a_host_without_headers_under_a_sub_path_it_is_isolated_and_works_offline(
    dist, profile, watch, until
):
    with serving(dist, plain=True, base="/sub/dir/") as url:
        watch.allow_origin(url)
        with profile() as context:
            page = context.new_page()
            page.goto(url)
            until(page, visit.ISOLATED_AND_READY)
            until(page, visit.OFFLINE_READY)
            assert visit.call(page, "status")["value"]["isolated"]
            assert visit.label(page, until) in CATS
    assert {answer.path.startswith("/sub/dir/") for answer in url.log} == {True}
    found = [answer for answer in url.log if not answer.path.endswith(".root.json")]
    assert {answer.status for answer in found} <= {200, 304}
    with profile() as context:
        page = context.new_page()
        page.goto(url)
        assert visit.label(page, until) in CATS
        assert page.evaluate("() => crossOriginIsolated")
