"""A new version of the page: announced, and taken over only when somebody says so."""

from __future__ import annotations

import json
import shutil

import pytest
from page_photos import CAT, READY, choose, state

from builder import serviceworker
from builder.files import tree
from builder.server import serving

OFFLINE_READY = (
    "() => document.querySelector('[data-testid=offline-ready]').dataset.state === 'yes'"
)
SITE = '<script type="application/json" id="site">'
ANNOUNCED = "() => document.querySelector('[data-note=page-update]') !== null"


@pytest.fixture
def folder(dist, tmp_path):
    """A copy of the built site, to be replaced by a newer one."""
    return shutil.copytree(dist, tmp_path / "site")


def deploy_newer(folder):
    """Write the same site with another build's name over it."""
    index = folder / "index.html"
    text = index.read_text("utf-8")
    old = text.split('"build":"')[1].split('"')[0]
    index.write_text(text.replace(old, "f" * len(old)), "utf-8")
    about = text.partition('<script type="application/json" id="site">')[2].partition("</script>")[
        0
    ]
    script = serviceworker.script(
        serviceworker.source(),
        "f" * len(old),
        dict(tree(folder)),
        engines=serviceworker.of_engines(json.loads(about)["engines"]),
    )
    (folder / "sw.js").write_bytes(script)


def test_a_new_version_is_announced_and_taken_over_when_wanted(context, folder, watch, until):
    with serving(folder) as url:
        watch.allow_origin(url)
        page, other = context.new_page(), context.new_page()
        page.goto(url)
        until(page, OFFLINE_READY)
        other.goto(url)
        until(other, READY)
        old = page.evaluate("satchel.site.build")
        deploy_newer(folder)
        page.reload()
        until(page, ANNOUNCED)
        assert page.evaluate("satchel.site.build") == old
        page.get_by_role("button", name="Reload to update").first.click()
        until(page, f"() => ({READY})() && satchel.site.build !== {old!r}")
        # The other tab goes on, with all its files, and says what happened.
        until(other, ANNOUNCED)
        choose(other, CAT)
        until(other, state(CAT.name, "done"))
        assert other.evaluate("satchel.site.build") == old


def test_offline_set_up_that_fails_is_said_and_the_page_works(page, folder, watch, until):
    watch.expect("Failed to load resource")
    watch.expect("integrity")
    (folder / "notices.txt").write_text("changed on the way", "utf-8")
    with serving(folder) as url:
        watch.allow_origin(url)
        page.goto(url)
        until(page, "() => document.querySelector('[data-note=offline]') !== null")
        assert "could not be set up for offline use" in page.inner_text("#notes")
        assert page.get_by_test_id("offline-ready").get_attribute("data-state") == "no"
        choose(page, CAT)
        until(page, state(CAT.name, "done"))
