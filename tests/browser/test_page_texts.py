"""Texts on the page: typed or pasted, compared by keyboard or mouse, on a site with any models."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from builder import bundle, node
from builder.paths import ROOT
from builder.server import serving
from builder.site import load
from tests.conftest import some

ENGINE_TESTS = Path(__file__).resolve().parents[1] / "engine"

# A committed recipe, so that nothing is fetched: the model counts token ids (see fixtures.py).
RECIPE = """
id = "bag"
task = "embed"
title = "Bag"
version = "1.0.0"
changelog = ""
licence = "CC0-1.0"
notices = []

[source]
packages = ["none==1"]
{files}

[encoding]
max_tokens = 256
max_bytes = 10_000

[[variants]]
name = "plain"
engine = "onnxruntime"
file = "bag.onnx"
session = {{ graph_optimization_level = "all" }}

[files]
tokenizer = "tokenizer.txt"

[evaluation]
data = ""
command = ""
figures = {{}}
"""
FILES = "\n".join(
    f'{name} = {{ path = "none", sha256 = "{"0" * 64}" }}'
    for name in ("weights", "config", "tokenizer", "tokenizer_config")
)

EMBED = '[[models]]\nid = "bag"\ntask = "embed"\ntitle = "Bag"\nrecipe = "bag"\n'
LABEL = (
    '[[models]]\nid = "efficientnet-lite0"\ntask = "label"\ntitle = "Label"\n'
    f"recipe = {json.dumps(str(ROOT / 'models/efficientnet-lite0'))}\n"
)

INTERFACE = "() => document.querySelector('#embed-go')?.disabled === false"
NAMES = "[...document.querySelectorAll('#alike-list li')].map((row) => row.dataset.name)"


def done(count: int) -> str:
    rows = "[data-testid=result][data-task=embed][data-state=done]"
    return f"() => document.querySelectorAll('{rows}').length === {count}"


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Builds a site of these models."""
    spec = importlib.util.spec_from_file_location("texts", ENGINE_TESTS / "fixtures.py")
    fixtures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fixtures)
    folder = tmp_path_factory.mktemp("sites")
    (folder / "bag").mkdir()
    (folder / "bag/recipe.toml").write_text(RECIPE.format(files=FILES))
    (folder / "bag/bag.onnx").write_bytes(fixtures.bag().SerializeToString())
    fixtures.write_texts(folder / "bag")

    def make(name, *models):
        file = folder / f"{name}.toml"
        file.write_text("\n".join(['title = "Texts"', 'description = "Texts."', *models]))
        return bundle.build(load(file), folder / name)

    return make


@pytest.fixture
def visit(build, page, watch, until):
    """Opens a site with these models."""
    servers = []

    def start(name, *models, address=""):
        server = serving(build(name, *models))
        url = server.__enter__()
        servers.append(server)
        watch.allow_origin(url)
        page.goto(url + address)
        until(page, INTERFACE)
        return page

    yield start
    page.goto("about:blank")
    for server in servers:
        server.__exit__(None, None, None)


def test_texts_given_early_are_compared_by_keyboard_once_the_engine_is_there(visit, until):
    page = visit("texts", EMBED)
    page.get_by_test_id("text-input").fill("fox fox dog\n\n  dog dog\nfox fox dog \nfox")
    page.keyboard.press("Control+Enter")
    until(page, "() => document.querySelectorAll('#alike-list li').length === 4")
    until(page, done(4))
    assert page.evaluate(NAMES)[:2] == ["fox fox dog", "fox fox dog"]
    first, second = page.locator("#alike-list li").all()[:2]
    assert float(first.get_attribute("data-score")) == pytest.approx(1, abs=1e-4)
    assert float(second.get_attribute("data-score")) == pytest.approx(1, abs=1e-4)
    assert float(first.get_attribute("data-ms")) > 0
    assert "4 texts in" in page.inner_text("#embed-state")
    assert "Most alike: fox fox dog, 1.00" in page.inner_text("#announce")


@pytest.mark.heavy
def test_texts_given_early_on_a_later_visit_are_compared_too(visit, until):
    page = visit("texts", EMBED)
    until(page, "() => document.querySelector('#offline-ready').dataset.state === 'yes'")
    page.reload()
    until(page, INTERFACE)
    page.get_by_test_id("text-input").fill("fox fox dog\ndog dog")
    page.keyboard.press("Control+Enter")
    until(page, done(2))
    assert page.locator("[data-note=mistake]").count() == 0


@pytest.mark.heavy
def test_another_text_can_be_chosen_and_keeps_the_focus(visit, until):
    page = visit("texts", EMBED)
    page.get_by_test_id("text-input").fill("fox fox dog\ndog dog\nfox")
    page.get_by_role("button", name="Compare", exact=True).press("Enter")
    until(page, done(3))
    page.get_by_role("button", name="dog dog", exact=True).press("Enter")
    assert page.evaluate(NAMES)[0] == "dog dog"
    assert page.evaluate("document.activeElement.textContent") == "dog dog"
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"


def test_one_text_alone_is_answered_with_what_to_do(visit):
    page = visit("texts", EMBED)
    page.get_by_test_id("text-input").fill("fox\n \n")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Write two texts at least").wait_for()
    assert page.evaluate("document.activeElement.id") == "text-input"


def test_what_a_site_has_no_model_for_is_not_on_its_page(visit):
    page = visit("texts", EMBED)
    assert page.locator("#file-input, #camera, a[href='#label']").count() == 0
    assert page.locator("#view-embed").is_visible()
    assert page.title() == "Texts"
    loaded = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert not [name for name in loaded if "ui.label" in name or "ui.camera" in name]


@pytest.mark.heavy
def test_beside_photos_the_second_model_comes_when_it_is_first_needed(visit, until):
    page = visit("both", LABEL, EMBED)
    assert page.locator("#view-label").is_visible()
    page.get_by_role("link", name="Compare", exact=True).press("Enter")
    until(page, "() => document.activeElement.id === 'embed-title'")
    assert page.title() == "Compare · Texts"
    assert page.locator("#view-label").is_hidden()
    page.get_by_test_id("text-input").fill("fox\ndog")
    page.keyboard.press("Control+Enter")
    until(page, done(2))
    page.get_by_role("link", name="Label", exact=True).press("Enter")
    until(page, "() => document.activeElement.id === 'label-title'")
    assert page.locator("#view-embed").is_hidden()


def test_cancelled_texts_can_be_compared_again(visit, until):
    page = visit("texts", EMBED)
    page.get_by_test_id("text-input").fill("fox\ndog")
    page.keyboard.press("Control+Enter")  # waits for the engine
    page.locator("#embed-go").press("Enter")
    page.get_by_text("Cancelled.").first.wait_for()
    failed = "document.querySelectorAll('#alike-list [data-state=failed]')"
    until(page, f"() => {failed}.length === 2")
    page.get_by_role("button", name="Compare", exact=True).press("Enter")
    until(page, done(2))


@pytest.mark.parametrize("scheme", some(["light", "dark"], ["light"]))
def test_axe_finds_nothing_wrong_before_and_after(visit, until, scheme):
    page = visit("texts", EMBED)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.evaluate((node.packages() / "axe-core/axe.min.js").read_text("utf-8"))
    for text in ("", "fox fox dog\ndog\nfox"):
        if text:
            page.get_by_test_id("text-input").fill(text)
            page.keyboard.press("Control+Enter")
            until(page, done(3))
        answer = page.evaluate("axe.run(document)")
        assert not [f"{one['id']}: {one['nodes'][0]['html']}" for one in answer["violations"]]


def test_the_page_embeds_as_the_engine_on_this_machine_does(visit, until, build):
    page = visit("texts", EMBED)
    call = 'satchel.engine.call("install", ["bag"]).then(() => satchel.engine.call("embed", [%s]))'
    answer = page.evaluate(
        f"({call % json.dumps(['fox', 'dog', 'fox'])}).then(r => [r.shape, [...r.vectors]])"
    )
    vectors = np.array(answer[1], np.float32).reshape(answer[0])
    np.testing.assert_array_equal(vectors[0], vectors[2])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
