"""Two sites on one origin never meet: not in what they store, nor in what they wait for."""

from __future__ import annotations

import neighbours
import pytest
import visit
from page_photos import CATS

from builder.server import serving

pytestmark = pytest.mark.heavy

PATHS = ("/a/", "/b/")

HOLD = """(model) => {
  const name = `satchel:/a/${satchel.site.scope_key}:install:${model}`;
  return new Promise((held) => {
    navigator.locks.request(name, () => new Promise((release) => {
      globalThis.release = release;
      held();
    }));
  });
}"""
"""Act as a tab that is busy with an installation: take the engine's own lock."""


@pytest.fixture(scope="module")
def sites(dist, browser, tmp_path_factory, until):
    """Both sites open in one browser, by path; the second came while the first was busy."""
    other = neighbours.other_site(tmp_path_factory.mktemp("other") / "site", "Rucksack")
    with (
        serving(dist, base="/a/", mounts={"/b/": other}) as url,
        visit.watched(browser, url) as context,
    ):
        pages = {}
        for path in PATHS:
            pages[path] = page = context.new_page()
            page.goto(url.removesuffix("/a/") + path)
            until(page, visit.OFFLINE_READY)
            if path == "/a/":
                page.evaluate(HOLD, visit.MODEL)
        pages["/a/"].evaluate("() => release()")
        yield pages


def test_each_has_databases_and_caches_of_its_own(sites):
    keys = [sites[path].evaluate("() => satchel.site.scope_key") for path in PATHS]
    builds = [sites[path].evaluate("() => satchel.site.build") for path in PATHS]
    assert keys[0] != keys[1]
    databases = [f"satchel:{path}{key}" for path, key in zip(PATHS, keys, strict=True)]
    assert visit.names(sites["/a/"]) == {
        "databases": databases,
        "caches": [f"satchel:{path}:build:{b}" for path, b in zip(PATHS, builds, strict=True)],
    }


def test_both_label_photos_and_show_their_own_name(sites, until):
    for path, title in zip(PATHS, ("Satchel", "Rucksack"), strict=True):
        assert visit.label(sites[path], until, name="both.jpg") in CATS
        assert sites[path].title() == title


def test_removing_ones_model_leaves_the_others(sites, until):
    assert visit.call(sites["/a/"], "remove", visit.MODEL) == {"value": None}
    assert not visit.installed(sites["/a/"])
    assert visit.installed(sites["/b/"])
    context = sites["/b/"].context
    context.set_offline(True)
    sites["/b/"].reload()
    assert visit.label(sites["/b/"], until, name="still.jpg") in CATS
    context.set_offline(False)
    assert "value" in visit.call(sites["/a/"], "install", visit.MODEL)
