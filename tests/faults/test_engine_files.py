"""Files of an inference engine that arrive spoilt: noticed, and asked for again."""

from __future__ import annotations

import re

import pytest
import two_models
import visit
from page_photos import READY
from test_engines import fetched, label, runs_in

from builder import bundle
from builder.server import serving
from builder.site import load
from tests.conftest import some


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    site = load(two_models.make(tmp_path_factory.mktemp("two")))
    return bundle.build(site, site.dist)


@pytest.fixture
def host(built, network, watch):
    with serving(built, wrap=network) as url:
        watch.allow_origin(url)
        yield url


@pytest.mark.parametrize("how", some(["cut", "end_early", "flip"], ["cut"]))
def test_an_engine_that_came_spoilt_comes_again_at_once(page, host, network, watch, until, how):
    watch.expect("wasm streaming compile failed")  # Emscripten's words
    watch.expect("falling back to ArrayBuffer instantiation")
    watch.expect("Failed to load resource")
    with network.fault(r"/litert-.*\.wasm\.zst$", getattr(type(network), how), times=1):
        page.goto(host)
        until(page, READY)
    assert "digit 7" in label(page, until, "7", "seven.png")
    assert fetched(host) == {"litert"}
    until(page, visit.OFFLINE_READY)


@pytest.mark.heavy
def test_without_its_files_the_other_engine_answers_and_the_next_visit_tries_again(
    context, host, network, watch, until
):
    watch.expect("")  # browsers and LiteRT.js have a lot to say about it
    page = context.new_page()
    with network.fault(r"/litert-.*\.wasm\.zst$", type(network).missing):
        page.goto(host)
        until(page, READY)
        assert "digit 7" in label(page, until, "7", "seven.png")
        said = runs_in(page, until)
        assert re.search(r"Digits runs in ONNX Runtime\. LiteRT can't be started.*fetch", said)
    page.reload()
    until(page, READY)
    until(
        page,
        "() => satchel.engine.call('library').then(({models}) =>"
        " models[0].variant.engine === 'litert')",
        seconds=120,
    )
    assert "digit 1" in label(page, until, "1", "one.png")
    assert "Digits runs in LiteRT." in runs_in(page, until)
    until(page, visit.OFFLINE_READY)
