"""Tensors on the page: a model's inputs made up or given, its outputs shown, copied and saved."""

from __future__ import annotations

import io
import json

import numpy as np
import own_sites
import pytest

from builder import bundle
from builder.server import serving
from builder.site import load
from tests.conftest import some

LISTED = "() => document.querySelectorAll('[data-testid=tensor-way]').length === 3"
RAN = "() => document.querySelector('#tensors-state').textContent.startsWith('Ran in')"
REFUSED = "() => document.querySelector('#tensors-state').dataset.tone === 'bad'"
OFFLINE = "() => document.querySelector('[data-testid=offline-ready]').dataset.state === 'yes'"

DROP = """([name, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with one model, which takes three tensors."""
    folder = tmp_path_factory.mktemp("own")
    return load(own_sites.make(folder / "Sums", "tensors", own_sites.sums()))


@pytest.fixture(scope="module")
def built(site):
    return bundle.build(site, site.dist)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A site whose tensors model is its second."""
    folder = tmp_path_factory.mktemp("both")
    files = [
        own_sites.make(
            folder / "digits", "label", own_sites.digits(), labels="zero\none\nseven", title="Both"
        ),
        own_sites.make(folder / "sums", "tensors", own_sites.sums()),
    ]
    first, second = (file.read_text("utf-8") for file in files)
    recipe = f'recipe = "{folder / "sums/models/sums"}"\n'
    files[0].write_text(first + second[second.index("[[models]]") :] + recipe, "utf-8")
    site = load(files[0])
    return bundle.build(site, site.dist)


@pytest.fixture
def visit(built, page, watch, until):
    """Opens the site, until the model's inputs are listed."""
    with serving(built) as url:
        watch.allow_origin(url)
        page.goto(url)
        until(page, LISTED)
        yield page
        page.goto("about:blank")


def way(page, name):
    return page.locator(f"[data-testid=tensor-way][data-name={name}]")


def give(page, name, text):
    way(page, name).select_option("json")
    page.locator(f"[data-testid=tensor-json][data-name={name}]").fill(text)


def choose(page, name, file, content):
    way(page, name).select_option("file")
    payload = {"name": file, "mimeType": "application/octet-stream", "buffer": content}
    page.locator(f"[data-testid=tensor-file][data-name={name}]").set_input_files([payload])


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def press(page):
    page.get_by_role("button", name="Run", exact=True).press("Enter")


def run(page, until):
    page.locator("#tensors-state").evaluate("(place) => { place.textContent = '' }")
    press(page)
    until(page, RAN)


def told(page):
    """What the page says of each output."""
    rows = page.locator("[data-testid=result][data-task=tensors][data-state=done]").all()
    return {row.get_attribute("data-name"): row.inner_text() for row in rows}


def answer(page):
    """The outputs that the page would save."""
    text = page.evaluate("satchel.engine.call('computed')")
    return {
        name: np.array(one["values"], one["dtype"]).reshape(one["shape"])
        for name, one in json.loads(text)["outputs"].items()
    }


def test_a_model_runs_at_once_with_made_up_numbers(visit, until):
    page = visit
    assert page.title() == "Sums"
    heads = page.locator("#tensors-inputs .tensor-head").all_inner_texts()
    assert [" ".join(head.split()) for head in heads] == [
        "x float32[batch, 3]",
        "factor int64[1]",
        "table uint8[4, 5]",
    ]
    run(page, until)
    assert told(page).keys() == {"scaled", "positive", "twice"}
    assert "float32[1, 3]" in told(page)["scaled"]
    assert "Least" in told(page)["scaled"]
    assert "… and 12 more" in told(page)["twice"]
    assert "The model answered in" in page.inner_text("#announce")
    first = page.locator("[data-testid=result]").first
    assert float(first.get_attribute("data-ms")) > 0


def test_the_device_view_tells_times_and_offers_no_choice_where_nothing_is_decided(visit, until):
    page = visit
    run(page, until)
    page.evaluate("() => { location.hash = 'device' }")
    until(page, "() => !document.getElementById('view-device').hidden")
    assert page.locator("#times-said").inner_text().startswith("1 run so far: ")
    assert not page.locator("#choice").is_visible()
    assert not page.locator("#suppose").is_visible()


def test_each_run_makes_up_other_numbers_of_the_size_that_was_asked_for(visit, until):
    page = visit
    page.get_by_label("batch").fill("5")
    way(page, "factor").select_option("json")
    give(page, "factor", "[2]")
    run(page, until)
    once = answer(page)["scaled"]
    run(page, until)
    assert once.shape == (5, 3)
    assert np.abs(once).max() <= 2
    assert not np.array_equal(once, answer(page)["scaled"])


def test_numbers_are_written_as_json(visit, until):
    page = visit
    assert page.locator("[data-testid=tensor-json]").first.get_attribute("placeholder") == (
        "[[0, 0, 0]]"
    )
    give(page, "x", "[[1, -2.5, 0], [1e3, 4, 5]]")
    give(page, "factor", "[-3]")
    way(page, "table").select_option("zeros")
    run(page, until)
    found = answer(page)
    np.testing.assert_array_equal(found["scaled"], [[-3, 7.5, 0], [-3000, -12, -15]])
    np.testing.assert_array_equal(found["positive"], [[False, True, False], [False] * 3])
    np.testing.assert_array_equal(found["twice"], np.zeros((4, 5)))
    assert "−3, 7.5, 0, −3000, −12, −15" in told(page)["scaled"]
    assert "false, true, false" in told(page)["positive"]


def test_numbers_come_from_files_of_numpy_s(visit, until):
    page = visit
    x = np.arange(6, dtype=np.float64).reshape(2, 3)
    table = np.arange(20, dtype=np.uint8).reshape(4, 5)
    choose(page, "x", "x.npy", npy(x))
    choose(page, "factor", "all.npz", npz(factor=np.array([2]), other=x))
    choose(page, "table", "table.json", json.dumps(table.tolist()).encode())
    run(page, until)
    found = answer(page)
    np.testing.assert_array_equal(found["scaled"], x * 2)
    np.testing.assert_array_equal(found["twice"], table * 2)


@pytest.mark.heavy
def test_an_archive_that_is_dropped_fills_every_input(visit, until):
    page = visit
    x = np.ones((1, 3), np.float32)
    content = npz(x=x, factor=np.array([7]), table=np.ones((4, 5), np.uint8))
    page.evaluate(DROP, ["inputs.npz", list(content)])
    until(page, "() => [...document.querySelectorAll('[data-testid=tensor-way]')]"
                ".every((way) => way.value === 'file')")  # fmt: skip
    run(page, until)
    np.testing.assert_array_equal(answer(page)["scaled"], x * 7)


UNFITTING = {
    "[[1, 2]]": "Input 'x' has shape [1, 2], but the model takes [batch, 3]",
    "[[1, 2, ": "Input 'x' is no JSON",
    "": "Input 'x' is empty. Write float32[batch, 3] as JSON",
    "[[1, 2, 3], [4]]": "Input 'x' is not an array: its lists differ in length",
    '[["a", "b", "c"]]': "Input 'x' holds something else than numbers",
    "[[1, null, 3]]": "Input 'x' holds something else than numbers",
}


def test_what_does_not_fit_is_told_at_its_input(visit, until):
    page = visit
    for text, words in UNFITTING.items():
        give(page, "x", text)
        page.keyboard.press("Control+Enter")
        until(page, REFUSED)
        assert words in page.inner_text("#tensors-state")
        assert page.evaluate("document.activeElement.dataset.name") == "x"
        assert page.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"
        assert page.locator("#outputs").is_hidden()
        give(page, "x", "[[1, 2, 3]]")
        run(page, until)
        assert page.locator("[aria-invalid]").count() == 0


@pytest.mark.heavy
def test_a_file_that_holds_something_else_is_told_with_what_it_should_be(visit, until):
    page = visit
    choose(page, "x", "x.npz", npz(a=np.zeros(3), b=np.zeros(3)))
    press(page)
    until(page, REFUSED)
    assert "has no array of that name. It has a, b" in page.inner_text("#tensors-state")
    choose(page, "x", "x.npy", b"\x93NUMPY\x01\x00 and no more")
    press(page)
    until(page, "() => document.querySelector('#tensors-state').textContent.includes('numpy.save')")
    way(page, "factor").select_option("file")
    press(page)
    page.get_by_text("Choose a file for factor.").wait_for()


@pytest.mark.heavy
def test_a_size_that_is_none_is_told_where_it_stands(visit, until):
    page = visit
    page.get_by_label("batch").fill("0")
    press(page)
    until(page, REFUSED)
    assert "The size of batch must be a whole number" in page.inner_text("#tensors-state")
    assert page.evaluate("document.activeElement.type") == "number"


def test_outputs_are_copied_and_saved_as_json(visit, until, context):
    page = visit
    give(page, "x", "[[0.1, 2, 3]]")
    give(page, "factor", "[1]")
    run(page, until)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as JSON").click()
    saved = json.loads(download.value.path().read_text("utf-8"))
    assert download.value.suggested_filename.startswith("outputs-")
    assert saved["model"] == {"id": "sums", "version": "1.0.0"}
    assert saved["outputs"]["scaled"] == {
        "dtype": "float32",
        "shape": [1, 3],
        "values": [[0.1, 2, 3]],
    }
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy as JSON").click()
    page.get_by_text("Copied.").first.wait_for()
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == saved


@pytest.mark.heavy
def test_it_runs_without_a_network(visit, until, context):
    page = visit
    until(page, OFFLINE)
    context.set_offline(True)
    page.reload()
    until(page, LISTED)
    run(page, until)
    assert told(page).keys() == {"scaled", "positive", "twice"}
    context.set_offline(False)


@pytest.mark.heavy
def test_as_a_site_s_second_model_it_comes_when_somebody_asks(both, page, watch, until):
    with serving(both) as url:
        watch.allow_origin(url)
        page.goto(url)
        until(page, "() => document.querySelector('[data-state=ready]#engine-state')")
        page.get_by_role("link", name="Run", exact=True).press("Enter")
        until(page, "() => document.activeElement.id === 'tensors-title'")
        assert page.title() == "Run · Both"
        page.get_by_role("button", name="Fetch").press("Enter")
        until(page, LISTED)
        run(page, until)
        assert told(page).keys() == {"scaled", "positive", "twice"}
        # A file that is dropped belongs to what is in view.
        page.evaluate(DROP, ["x.npy", list(npy(np.ones((1, 3))))])
        assert way(page, "x").input_value() == "file"
        page.get_by_role("link", name="Label", exact=True).press("Enter")
        until(page, "() => document.activeElement.id === 'label-title'")
        page.evaluate(DROP, ["x.npy", list(npy(np.ones((1, 3))))])
        until(page, "() => document.querySelector('[data-testid=result][data-name=\"x.npy\"]')")
        page.goto("about:blank")


@pytest.mark.parametrize("scheme", some(["light", "dark"], ["light"]))
def test_axe_finds_nothing_wrong_in_any_state(visit, until, findings, scheme):
    page = visit
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    give(page, "x", "[")
    way(page, "factor").select_option("file")
    assert findings(page) == []
    press(page)
    until(page, REFUSED)
    assert findings(page) == []
    for name in ("x", "factor"):
        way(page, name).select_option("random")
    run(page, until)
    assert findings(page) == []


def test_a_page_without_such_a_model_carries_nothing_of_it(dist):
    index = (dist / "index.html").read_text("utf-8")
    assert "view-tensors" not in index
    (script,) = (dist / "assets").glob("interface.*.mjs")
    assert "tensors.mpy" not in script.read_text("utf-8")
