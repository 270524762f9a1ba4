"""Two inference engines in one site: a device fetches what it uses, and the other when it must."""

from __future__ import annotations

import io

import pytest
import two_models
import visit
from own_sites import glyph
from page_photos import READY, choose, state
from PIL import Image

from builder import bundle, scripts
from builder.server import serving
from builder.site import load
from tests.conftest import some

WITHOUT_RELAXED_SIMD = """{
  const { validate } = WebAssembly;
  WebAssembly.validate = (code) => !String(code).includes("253,128,2") && validate(code);
}"""
"""JavaScript: Chromium has no switch for it any more. 253,128,2 is i8x16.relaxed_swizzle."""

COMPUTED = "() => document.querySelector('#outputs:not([hidden]) li') !== null"
RUNS_IN = "() => document.getElementById('about-engines').textContent"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return load(two_models.make(tmp_path_factory.mktemp("two")))


@pytest.fixture(scope="module")
def built(site):
    return bundle.build(site, site.dist)


def fetched(url) -> set[str]:
    """The engines of which a host has sent something."""
    paths = [answer.path for answer in url.log if answer.bytes]
    return {name for name in ("litert", "onnxruntime") if any(f"/{name}-" in one for one in paths)}


def label(page, until, digit: str, name: str) -> str:
    """What the page says a photo of a digit is."""
    file = io.BytesIO()
    Image.fromarray(glyph(digit, 64)).convert("RGB").save(file, "PNG")
    choose(page, {"name": name, "mimeType": "image/png", "buffer": file.getvalue()})
    until(page, f"() => ({state(name, 'done')})() || ({state(name, 'failed')})()")
    card = page.locator(f"[data-testid=result][data-name='{name}']")
    assert card.get_attribute("data-state") == "done", card.inner_text()
    return card.locator("li").first.text_content()


def opened(context, url, until, digit: str):
    """A new tab in which a photo of a digit was labelled."""
    page = context.new_page()
    page.goto(url)
    assert f"digit {digit}" in label(page, until, digit, f"{digit}.png")
    return page


def compute(page, until) -> None:
    """Run the second model, on made-up numbers."""
    page.get_by_role("link", name="Run", exact=True).click()
    go = page.locator("#tensors-go")
    until(page, "() => !document.getElementById('tensors-go').disabled")
    if "Fetch" in go.inner_text():
        go.click()
        until(page, "() => document.querySelector('#tensors-inputs > *') !== null")
    go.click()
    until(page, COMPUTED)


def runs_in(page, until) -> str:
    """What About says of the engines."""
    page.get_by_role("link", name="About", exact=True).click()
    return until(page, RUNS_IN)


def test_a_visitor_has_the_engine_that_is_used_and_the_other_one_when_its_model_is_opened(
    built, profile, watch, until
):
    with serving(built) as url:
        watch.allow_origin(url)
        with profile() as context:
            page = context.new_page()
            page.goto(url)
            heard = (
                "() => { globalThis.heard = []; satchel.on('download', (one) => heard.push(one)) }"
            )
            until(page, "() => globalThis.satchel !== undefined")
            page.evaluate(heard)
            until(page, visit.OFFLINE_READY)
            assert "digit 7" in label(page, until, "7", "seven.png")
            assert fetched(url) == {"litert"}
            wasm = [answer.path for answer in url.log if ".wasm.zst" in answer.path]
            assert len([path for path in wasm if "/litert-" in path]) == 1  # one of its builds
            assert "Digits runs in LiteRT." in runs_in(page, until)
            parts = {one["part"] for one in page.evaluate("() => heard")}
            assert "Inference engine (LiteRT)" in parts
            compute(page, until)
            assert fetched(url) == {"litert", "onnxruntime"}
            last = [one for one in page.evaluate("() => heard") if "ONNX" in one["part"]][-1]
            assert last["received"] == last["total"] > 1e6
            assert "Sums runs in ONNX Runtime." in runs_in(page, until)
            until(page, visit.OFFLINE_READY)
    with profile() as context:
        page = context.new_page()
        page.goto(url)
        assert "digit 1" in label(page, until, "1", "offline.png")
        assert page.evaluate("() => satchel.engine.firstEngine") == "litert"
        compute(page, until)
        until(page, visit.OFFLINE_READY)


@pytest.fixture
def without_relaxed_simd(tmp_path, monkeypatch):
    """Builds a site whose visitors' browsers lack it."""
    whole = scripts.bundle

    def without(source, **more):
        before = WITHOUT_RELAXED_SIMD if source.suffix == ".mjs" else ""
        return before.encode() + whole(source, **more)

    def built(site):
        return bundle.build(site, tmp_path / "dist")

    monkeypatch.setattr(scripts, "bundle", without)
    monkeypatch.setattr(bundle, "STAMPS", tmp_path)
    return built


def test_a_browser_without_relaxed_simd_uses_the_other_engine_and_says_why(
    site, without_relaxed_simd, context, watch, until
):
    with serving(without_relaxed_simd(site)) as url:
        watch.allow_origin(url)
        page = context.new_page()
        page.goto(url)
        until(page, READY)
        assert "digit 0" in label(page, until, "0", "zero.png")
        assert fetched(url) == {"onnxruntime"}
        said = runs_in(page, until)
        assert "Digits runs in ONNX Runtime. This browser lacks relaxed SIMD" in said


@pytest.mark.heavy
def test_a_model_that_needs_no_relaxed_simd_gets_the_engine_s_build_for_browsers_without(
    tmp_path, without_relaxed_simd, context, watch, until
):
    own = load(two_models.make(tmp_path / "own", needs=()))
    with serving(without_relaxed_simd(own)) as url:
        watch.allow_origin(url)
        page = context.new_page()
        page.goto(url)
        until(page, READY)
        assert "digit 0" in label(page, until, "0", "zero.png")
        assert fetched(url) == {"litert"}
        paths = [answer.path for answer in url.log]
        (build,) = [path for path in paths if "/litert-" in path and ".wasm.zst" in path]
        assert "compat" in build
        said = visit.call(page, "status")["value"]
        assert said["engine"].endswith(
            "its build for browsers without relaxed SIMD or shared memory"
        )
        assert said["threads"] == 1


@pytest.mark.parametrize(
    "plain", some([False, True], [False]), ids=["a good host", "a host without headers"]
)
def test_threads_work_in_both_engines(built, context, watch, until, plain):
    with serving(built, plain=plain) as url:
        watch.allow_origin(url)
        page = context.new_page()
        page.goto(url)
        until(page, visit.ISOLATED_AND_READY)
        assert visit.call(page, "status")["value"]["threads"] > 1
        assert "digit 7" in label(page, until, "7", "seven.png")
        compute(page, until)
        until(page, visit.OFFLINE_READY)


def test_what_ended_the_page_is_tried_again_where_nothing_else_can_be_had(
    built, profile, watch, until
):
    with serving(built) as url:
        watch.allow_origin(url)
        with profile() as context:
            page = opened(context, url, until, "7")
            until(page, visit.OFFLINE_READY)
            visit.begin_a_load(page, "digits")
            page.close()
    watch.expect("Failed to fetch")
    watch.expect("net::ERR_CONNECTION_REFUSED")
    with profile() as context:  # its host is gone, and with it the other variant
        page = opened(context, url, until, "1")
        assert "Digits runs in LiteRT." in runs_in(page, until)


OPEN = """
import gc
(opened,) = [one for one in gc.get_objects() if type(one).__name__ == "Opened"]
json.dumps(opened.models)
"""


@pytest.mark.heavy
def test_where_there_is_power_to_spare_the_next_model_is_opened_before_it_is_asked_for(
    built, profile, watch, until
):
    with serving(built) as url:
        watch.allow_origin(url)
        with profile() as context:
            page = opened(context, url, until, "7")
            compute(page, until)
            until(page, visit.OFFLINE_READY)
        with profile() as context:
            page = opened(context, url, until, "1")
            assert visit.python(page, OPEN) == ["digits"]
            visit.settled(page, OPEN, lambda models: models == ["digits", "sums"], 120)
