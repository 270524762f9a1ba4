"""The first visit: what it costs is said before, it can be refused, cancelled and tried again."""

from __future__ import annotations

import re
import time

import pytest
from page_photos import CAT, INTERFACE, READY, Gate, choose, leave, state

from builder.server import serving

OFFLINE_READY = (
    "() => document.querySelector('[data-testid=offline-ready]').dataset.state === 'yes'"
)
METERED = {
    "a data saver": "{ saveData: true, type: 'wifi' }",
    "a phone's connection": "{ saveData: false, type: 'cellular' }",
}


def setup(wanted: str) -> str:
    """JavaScript for `until`: the panel of the first download is in this state."""
    panel = "document.getElementById('setup')"
    return f"() => !{panel}.hidden && {panel}.dataset.state === '{wanted}'"


def metered(context, connection: str) -> None:
    context.add_init_script(
        f"Object.defineProperty(navigator, 'connection', {{ value: {connection} }});"
    )


def test_the_size_is_named_before_anything_large_arrives(page, context, site_url, until):
    gate = Gate(context, re.compile(r"\.wasm$|\.zst$|models/blobs/"))
    page.goto(site_url)
    until(page, "() => globalThis.satchel !== undefined")
    gate.let(re.compile("micropython"))
    until(page, setup("fetching"))
    total = page.evaluate(
        """() => [...satchel.parts, ...satchel.site.models]
            .reduce((sum, one) => sum + one.bytes, 0)"""
    )
    assert f"{total / 1e6:.1f} MB" in page.inner_text("#setup-title")
    assert page.locator("#setup-parts li").count() == 3
    gate.open()
    until(page, READY)
    until(page, "() => document.getElementById('setup').hidden")


def test_the_engine_starts_while_the_first_screen_can_already_be_used(
    page, context, site_url, until
):
    Gate(context, "**/pyodide.asm.wasm.zst")
    page.goto(site_url)
    until(page, INTERFACE)
    page.get_by_role("link", name="About", exact=True).click()
    page.locator("#view-about").wait_for()
    assert page.get_by_test_id("engine-state").get_attribute("data-state") == "starting"
    leave(context)


@pytest.mark.parametrize("connection", METERED.values(), ids=METERED.keys())
def test_on_a_connection_that_may_cost_nothing_is_fetched_without_consent(
    page, context, site_url, until, connection
):
    metered(context, connection)
    page.goto(site_url)
    until(page, setup("ask"))
    choose(page, CAT)
    until(page, state(CAT.name, "pending"))
    assert "Waiting for your yes" in page.text_content("#results")  # may lie below the screen
    asked = page.inner_text("#setup")
    assert "This connection may cost you" in asked
    assert re.search(r"Download \d+\.\d MB", asked)
    heavy = re.compile(r"pyodide|onnxruntime|litert|models|wheels|engine")
    assert not [answer.path for answer in site_url.log if heavy.search(answer.path)]
    assert (
        page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    )
    page.locator("#setup-actions button").click()
    until(page, state(CAT.name, "done"))


def test_a_cancelled_download_goes_on_when_it_is_wanted(page, context, site_url, until, watch):
    # onnxruntime's last words, when its worker is ended while its WASM arrives.
    watch.expect("wasm streaming compile failed")
    watch.expect("falling back to ArrayBuffer instantiation")
    gate = Gate(context, "**/pyodide.asm.wasm.zst")
    page.goto(site_url)
    until(page, setup("fetching"))
    choose(page, CAT)
    page.locator("#setup-actions button", has_text="Cancel").click()
    until(page, setup("stopped"))
    assert page.get_by_test_id("engine-state").get_attribute("data-state") == "stopped"
    gate.open()
    page.locator("#setup-actions button", has_text="Download").click()
    until(page, state(CAT.name, "done"))


NO_TERMINATION = """
  Worker.prototype.terminate = () => {
    throw new Error("A worker was terminated, whatever it did.");
  };
"""
"""JavaScript: Chromium 156 may break down when that happens while WASM is compiled."""


def wait_until(page, holds) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        page.wait_for_timeout(20)


def test_a_cancelled_engine_gives_up_what_still_arrives_and_ends(
    page, context, site_url, until, watch
):
    watch.expect("wasm streaming compile failed")
    watch.expect("falling back to ArrayBuffer instantiation")
    gate = Gate(context, "**/pyodide.asm.wasm.zst")
    page.add_init_script(NO_TERMINATION)
    page.goto(site_url)
    until(page, setup("fetching"))
    wait_until(page, lambda: len(page.workers) >= 2)
    working = set(page.workers)
    page.locator("#setup-actions button", has_text="Cancel").click()
    until(page, setup("stopped"))
    wait_until(page, lambda: not working & set(page.workers))
    gate.open()


@pytest.mark.heavy
def test_a_cancelled_model_goes_on_when_it_is_wanted(page, context, site_url, until):
    gate = Gate(context, "**/models/blobs/*")
    page.goto(site_url)
    until(page, READY.replace("ready", "starting"))
    until(page, "() => document.getElementById('model-version').dataset.state === 'none'")
    page.locator("#setup-actions button", has_text="Cancel").click()
    until(page, setup("stopped"))
    gate.open()
    page.locator("#setup-actions button", has_text="Download").click()
    until(page, READY)


def test_a_model_that_does_not_arrive_says_why_and_can_be_tried_again(
    page, context, site_url, until, watch
):
    watch.expect("Failed to load resource")
    context.route("**/models/blobs/*", lambda route: route.fulfill(status=503))
    page.goto(site_url)
    until(page, setup("failed"))
    assert "503" in page.inner_text("#setup-why")
    context.unroute("**/models/blobs/*")
    page.get_by_role("button", name="Try again").click()
    until(page, READY)


@pytest.mark.heavy
def test_an_engine_that_does_not_arrive_says_why_and_can_be_tried_again(
    page, context, site_url, until, watch
):
    watch.expect("Failed to load resource")
    watch.expect("pyodide.mjs")
    context.route("**/pyodide.mjs", lambda route: route.abort())
    page.goto(site_url)
    until(page, setup("failed"))
    assert page.inner_text("#setup-why")
    assert page.get_by_test_id("engine-state").get_attribute("data-state") == "failed"
    context.unroute("**/pyodide.mjs")
    page.get_by_role("button", name="Try again").click()
    until(page, READY)


def test_after_the_first_visit_the_page_says_that_it_works_offline_and_does(
    page, context, site_url, until
):
    page.goto(site_url)
    until(page, OFFLINE_READY)
    context.set_offline(True)
    page.close()
    again = context.new_page()
    again.goto(site_url)
    choose(again, CAT)
    until(again, state(CAT.name, "done"))
    assert again.locator("#setup").is_hidden()
    until(again, OFFLINE_READY)


@pytest.fixture
def plain_url(dist, watch):
    """The site on a host that sends no headers, under a sub-path."""
    with serving(dist, plain=True, base="/deep/down/") as url:
        watch.allow_origin(url)
        yield url


def test_on_a_host_without_headers_one_reload_brings_threads(page, plain_url, until):
    loads = []
    page.on("domcontentloaded", lambda _: loads.append(1))
    page.goto(plain_url)
    end = time.monotonic() + 60
    while len(loads) < 2:  # a page that is being left can't be asked
        assert time.monotonic() < end, "it did not reload"
        page.wait_for_timeout(50)
    until(page, READY)
    assert page.evaluate("crossOriginIsolated")
    assert page.evaluate("satchel.engine.call('status').then((status) => status.threads)") > 1
    assert len(loads) == 2


@pytest.mark.heavy
def test_a_reload_never_takes_away_what_somebody_has_begun(page, plain_url, until):
    loads = []
    page.on("domcontentloaded", lambda _: loads.append(1))
    page.goto(plain_url, wait_until="commit")
    page.get_by_test_id("file-input").wait_for(state="attached")
    until(page, "() => globalThis.satchel !== undefined")
    choose(page, CAT)
    until(page, state(CAT.name, "done"))
    until(page, "() => navigator.serviceWorker.controller !== null")
    page.wait_for_timeout(300)
    assert page.locator("[data-testid=result][data-state=done]").count() == 1
    assert len(loads) == 1
