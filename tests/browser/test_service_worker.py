"""The service worker by itself, on a site of four files: offline, updates, neighbours, failures."""

from __future__ import annotations

import minisite
import pytest

from builder.server import serving


@pytest.fixture
def folder(tmp_path):
    minisite.write(tmp_path / "site", "one")
    return tmp_path / "site"


@pytest.fixture
def host(folder, watch):
    """The site on a host that sends no headers, under a sub-path."""
    with serving(folder, plain=True, base="/deep/down/") as url:
        watch.allow_origin(url)
        yield url


@pytest.fixture
def opened(context, host, until):
    """Opens the site in a new tab, once its worker is in charge and has everything."""

    def open_tab():
        page = context.new_page()
        page.goto(host)
        until(page, minisite.CONTROLLED)
        until(page, minisite.COMPLETE)
        return page

    return open_tab


def update(page, until):
    """Have the browser look for a new worker, and wait until it has installed."""
    page.evaluate("async () => { await registration.update() }")
    until(page, "() => registration.waiting !== null")


def take_over(page, until, build):
    # Asking it anything meanwhile would keep the old worker busy, and it goes only when idle.
    page.evaluate("() => registration.waiting.postMessage({ type: 'skip-waiting' })")
    until(page, "() => !registration.waiting && registration.active.state === 'activated'")
    assert page.evaluate("async () => (await ask('status')).build") == build


def test_after_one_visit_the_page_opens_without_a_network(opened, context, host):
    opened().close()
    context.set_offline(True)
    page = context.new_page()
    for address in (host, host + "index.html", host + "?utm_source=x"):
        page.goto(address)
        assert page.inner_text("body") == "build one"
    assert page.evaluate("async () => (await lazy()).build") == "one"


def test_the_worker_brings_isolation_and_policy_to_a_host_without_headers(opened):
    page = opened()
    assert not page.evaluate("() => crossOriginIsolated")
    page.reload()
    assert page.evaluate("() => crossOriginIsolated")
    policy = page.evaluate(
        """async () => {
          const { headers } = await fetch(document.querySelector("script").src);
          return headers.get("content-security-policy");
        }"""
    )
    assert "'wasm-unsafe-eval'" in policy


def test_an_update_waits_and_an_open_tab_keeps_the_files_it_started_with(opened, folder, until):
    old = opened()
    minisite.write(folder, "two")
    update(old, until)
    assert old.evaluate("async () => (await ask('status')).build") == "one"
    other = opened()
    assert other.inner_text("body") == "build one"
    take_over(other, until, "two")
    # The old tab is now served by the new worker, from the host its files are gone …
    assert old.evaluate("async () => (await ask('status')).build") == "two"
    assert old.evaluate("async () => (await lazy()).build") == "one"
    # … and a new tab gets the new build.
    new = opened()
    assert new.inner_text("body") == "build two"


def test_a_build_is_deleted_once_no_tab_runs_it(opened, folder, until):
    old = opened()
    minisite.write(folder, "two")
    update(old, until)
    take_over(old, until, "two")
    builds = [f"satchel:/deep/down/:build:{build}" for build in ("one", "two")]
    new = opened()
    new.evaluate("() => navigator.serviceWorker.controller.postMessage({ type: 'tidy' })")
    new.evaluate("() => ask('status')")
    assert new.evaluate(minisite.STORED) == builds
    old.close()
    until(
        new,
        """async () => {
          navigator.serviceWorker.controller.postMessage({ type: "tidy" });
          await ask("status");
          return (await caches.keys()).length === 1;
        }""",
    )
    assert new.evaluate(minisite.STORED) == builds[1:]


def test_a_tidy_spares_a_build_that_waits(opened, folder, until):
    page = opened()
    minisite.write(folder, "two")
    update(page, until)
    page.evaluate("() => navigator.serviceWorker.controller.postMessage({ type: 'tidy' })")
    page.evaluate("() => ask('status')")
    assert len(page.evaluate(minisite.STORED)) == 2
    take_over(page, until, "two")
    assert page.evaluate(minisite.COMPLETE)


def test_an_update_fetches_only_what_changed(opened, folder, host, until):
    page = opened()
    host.log.clear()
    minisite.write(folder, "two")
    update(page, until)
    asked = [answer.path for answer in host.log]
    assert any("late." in path for path in asked)
    assert not any("shared." in path for path in asked)


def test_a_file_that_arrives_cut_fails_the_install_and_the_old_build_stays(
    opened, folder, until, watch
):
    page = opened()
    minisite.write(folder, "two")
    index = folder / "index.html"
    index.write_bytes(index.read_bytes()[:-20])
    watch.expect("integrity")
    page.evaluate("async () => { await registration.update().catch(() => {}) }")
    until(page, "() => said.length > 0")
    (said,) = page.evaluate("() => said")
    assert said["type"] == "install-failed"
    assert "could be kept" in said["reason"]
    until(page, "() => !registration.installing && !registration.waiting")
    assert page.evaluate("async () => (await ask('status')).build") == "one"
    page.reload()
    assert page.inner_text("body") == "build one"


def test_two_sites_on_one_origin_leave_each_other_alone(tmp_path, context, until, watch):
    for name in ("a", "b"):
        minisite.write(tmp_path / name, f"{name}-one")
    places = {"/a/b/": tmp_path / "b"}
    with serving(tmp_path / "a", base="/a/", mounts=places) as url:
        watch.allow_origin(url)
        origin = url.removesuffix("/a/")
        pages = {}
        for path in ("/a/", "/a/b/"):
            pages[path] = context.new_page()
            pages[path].goto(origin + path)
            until(pages[path], minisite.CONTROLLED)
            until(pages[path], minisite.COMPLETE)
        minisite.write(tmp_path / "a", "a-two")
        update(pages["/a/"], until)
        take_over(pages["/a/"], until, "a-two")
        pages["/a/"].reload()
        until(
            pages["/a/"],
            """async () => {
              navigator.serviceWorker.controller.postMessage({ type: "tidy" });
              await ask("status");
              return (await caches.keys()).length === 2;
            }""",
        )
        assert pages["/a/"].evaluate(minisite.STORED) == [
            "satchel:/a/:build:a-two",
            "satchel:/a/b/:build:b-one",
        ]
        context.set_offline(True)
        assert pages["/a/b/"].evaluate("async () => (await lazy()).build") == "b-one"
        pages["/a/b/"].reload()
        assert pages["/a/b/"].inner_text("body") == "build b-one"


def test_status_says_when_the_browser_evicted_something(opened):
    page = opened()
    page.evaluate(
        """async () => {
          const cache = await caches.open((await caches.keys())[0]);
          await cache.delete((await cache.keys())[0]);
        }"""
    )
    status = page.evaluate("() => ask('status')")
    assert status["complete"] is False
    assert len(status["missing"]) == 1


def test_a_warm_visit_does_not_wait_for_the_worker(opened, until):
    """The page and its hashed files come straight from the cache."""
    page = opened()
    page.reload()
    sources = """() => Object.fromEntries(
      [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
        .filter(({ name }) => name.endsWith("/") || name.includes("/assets/"))
        .map((entry) => [new URL(entry.name).pathname, entry.workerFinalRouterSource
          ?? entry.workerFinalSourceType]))"""
    found = page.evaluate(sources)
    assert "/deep/down/" in found
    assert len(found) > 1
    assert set(found.values()) == {"cache"}


KEPT = "([names, type]) => ask(type, names.map(engine))"
"""JavaScript: what the worker answers about engines, or when it is to keep some."""

ENGINE_TEXT = "async (name) => (await fetch(engine(name))).text()"


def test_an_engine_is_kept_once_a_page_uses_it_and_counts_from_then_on(
    opened, context, host, watch
):
    page = opened()
    assert not any("/runtime/" in answer.path for answer in host.log)
    assert page.evaluate(KEPT, [["fast"], "status"])["complete"] is False
    assert page.evaluate(KEPT, [["fast"], "keep"]) == {}
    assert [answer.path for answer in host.log if "/runtime/plain" in answer.path] == []
    assert page.evaluate(KEPT, [["fast"], "status"])["complete"] is True
    (missing,) = page.evaluate(KEPT, [["fast", "plain"], "status"])["missing"]
    assert "/runtime/plain-" in missing
    context.set_offline(True)
    assert page.evaluate(ENGINE_TEXT, "fast") == "of every build"  # expanded
    watch.expect("Failed to load resource")
    failed = page.evaluate(KEPT, [["plain"], "keep"])
    assert "inference engine could be kept" in failed["problem"]


def test_an_engine_s_file_that_came_spoilt_is_never_kept_and_comes_again(
    opened, folder, host, watch
):
    page = opened()
    (file,) = folder.glob("runtime/fast-*/engine.wasm.zst")
    whole = file.read_bytes()
    file.write_bytes(whole[:-3])
    watch.expect("integrity")
    host.log.clear()
    assert "could be kept" in page.evaluate(KEPT, [["fast"], "keep"])["problem"]
    assert len(host.log) == 2  # the second time past what the browser keeps
    file.write_bytes(whole)
    assert page.evaluate(KEPT, [["fast"], "keep"]) == {}
    assert page.evaluate(ENGINE_TEXT, "fast") == "of every build"


def test_an_update_keeps_the_engines_that_were_kept(opened, folder, host, until):
    page = opened()
    page.evaluate(KEPT, [["fast"], "keep"])
    host.log.clear()
    minisite.write(folder, "two")
    update(page, until)
    assert not any("/runtime/" in answer.path for answer in host.log)  # the same: copied
    take_over(page, until, "two")
    page.close()
    page = opened()
    assert page.evaluate(KEPT, [["fast"], "status"])["complete"] is True
    minisite.write(folder, "three", engine=b"of another version")
    update(page, until)
    assert [answer.path for answer in host.log if "/runtime/plain" in answer.path] == []
    take_over(page, until, "three")
    page.close()
    page = opened()
    assert page.evaluate(KEPT, [["fast"], "status"])["complete"] is True
    assert page.evaluate(ENGINE_TEXT, "fast") == "of another version"
