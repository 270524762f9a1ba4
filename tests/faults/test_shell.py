"""Files of the page itself that arrive cut, changed or mistyped."""

from __future__ import annotations

import pytest
import visit
from page_photos import CATS, READY

from builder.server import serving
from tests.conftest import some

OFFLINE_FAILED = "() => document.querySelector('[data-note=offline]')?.textContent ?? ''"

IN_LITERT = """async () => {
  const [model] = (await satchel.engine.call("status")).models;
  return model.variant === "litert-int8-static" && model.reason === "";
}"""


@pytest.fixture
def host(dist, network, watch):
    with serving(dist, wrap=network) as url:
        watch.allow_origin(url)
        yield url


@pytest.mark.parametrize(
    "fault",
    some(
        [("/notices.txt", "end_early"), ("/icons/icon-512", "flip"), ("/$", "append")],
        [("/icons/icon-512", "flip")],
    ),
)
def test_a_file_that_is_not_what_was_built_is_never_kept_and_the_page_says_so(
    page, host, network, watch, until, fault
):
    where, how = fault
    watch.expect("integrity")
    with network.fault(
        where if where != "/$" else r"/(index\.html)?$", getattr(type(network), how)
    ):
        page.goto(host)
        said = until(page, OFFLINE_FAILED)
        assert "could not be set up for offline use" in said
        until(page, READY)
        assert visit.label(page, until) in CATS
    # The next visit heals it.
    page.reload()
    until(page, visit.OFFLINE_READY)
    assert page.evaluate(OFFLINE_FAILED) == ""


@pytest.mark.parametrize(
    "how", some(["mistyped", "untyped", "typed_by_its_other_name", "encoded"], ["mistyped"])
)
@pytest.mark.parametrize("boot", some(["", "?boot=plain"], [""]))
def test_large_parts_work_whatever_a_host_calls_them(page, host, network, watch, until, how, boot):
    watch.expect("micropython.mjs")  # it says that it goes another way
    with network.fault(r"\.(wasm|zst)$", getattr(type(network), how)):
        page.goto(host + boot)
        assert visit.label(page, until) in CATS
        assert visit.how_started(page)["kind"] == ("plain" if boot else "snapshot")
        # The service worker keeps them all the same, and the page starts from what it keeps.
        until(page, visit.OFFLINE_READY)
        page.goto(host + boot)
        assert visit.label(page, until, name="again.jpg") in CATS
        assert visit.how_started(page)["kind"] == ("plain" if boot else "snapshot")


@pytest.mark.heavy
def test_python_that_came_spoilt_is_told_and_heals_although_the_browser_keeps_files_for_a_year(
    page, host, network, watch, until
):
    watch.expect("")  # browsers have a lot to say about it
    with network.fault(r"pyodide\.asm\.wasm\.zst$", type(network).end_early):
        page.goto(host)
        until(page, visit.FAILED)
        assert "Python could not be started" in page.inner_text("#setup-why")
    page.reload()
    again = page.get_by_role("button", name="Try again")
    until(page, f"() => ({READY})() || ({visit.FAILED})()")
    until(page, "() => navigator.serviceWorker.controller !== null")
    if again.is_visible():
        again.click()
    until(page, READY)
    assert visit.label(page, until) in CATS


@pytest.fixture
def fallen_back(page, host, network, watch, until):
    """The page, at work in ONNX Runtime since LiteRT came spoilt."""
    watch.expect("")  # browsers and engines have a lot to say about it
    with network.fault(r"litert_wasm.*\.wasm\.zst$", type(network).end_early):
        page.goto(host)
        until(page, READY)
        assert visit.label(page, until) in CATS
    return page


def test_where_an_engine_came_spoilt_the_other_one_does_the_work_and_says_so(fallen_back, until):
    (model, *_) = visit.call(fallen_back, "status")["value"]["models"]
    assert model["variant"] == "int8-float16-weights"
    assert "LiteRT can't be started in this browser" in model["reason"]


@pytest.mark.heavy  # a page takes a minute to be sure that it rests
def test_an_engine_that_came_spoilt_is_used_again_once_the_page_was_opened_anew_and_rested(
    fallen_back, until
):
    fallen_back.reload()
    until(fallen_back, READY)
    assert visit.label(fallen_back, until, name="again.jpg") in CATS
    until(fallen_back, IN_LITERT, seconds=120)
    assert visit.label(fallen_back, until, name="third.jpg") in CATS


def test_python_that_is_missing_is_told_and_can_be_tried_again(page, host, network, watch, until):
    watch.expect("Failed to load resource")
    with network.fault(r"pyodide\.asm\.wasm\.zst$", type(network).missing):
        page.goto(host)
        until(page, visit.FAILED)
        assert "404" in page.inner_text("#setup-why")
    page.get_by_role("button", name="Try again").click()
    assert visit.label(page, until) in CATS
