"""A device that can't run the best variant takes the next one, says why, and updates along it."""

from __future__ import annotations

import io

import own_sites
import pytest
import visit
from page_photos import READY, state
from PIL import Image
from two_engines import Isolation, Owner

from builder.release import development
from builder.server import serving

WHY = "This browser lacks threads, so the model runs in ONNX Runtime instead of LiteRT."


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two-engines")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SATCHEL_OFFLINE_KEYS", str(folder / "keys/offline"))
        patch.setenv("SATCHEL_ONLINE_KEYS", str(folder / "keys/online"))
        patch.setattr(development, "STORE", folder / "repositories")
        yield Owner(folder / "owner")


@pytest.fixture
def host():
    return Isolation()


@pytest.fixture
def url(owner, host, watch):
    with serving(owner.dist, wrap=host) as address:
        watch.allow_origin(address)
        yield address


@pytest.fixture
def page(browser, watch, url):
    """A page without a service worker: isolated as long as the host's headers say so."""
    context = browser.new_context()
    context.add_init_script("delete Navigator.prototype.serviceWorker")
    watch.context(context)
    yield context.new_page()
    context.close()


def label(page, until, digit, name):
    """Give the page a photo of a digit, and return the class that it finds."""
    file = io.BytesIO()
    Image.fromarray(own_sites.glyph(digit, 64)).convert("RGB").save(file, "PNG")
    photo = {"name": name, "mimeType": "image/png", "buffer": file.getvalue()}
    page.get_by_test_id("file-input").set_input_files([photo])
    until(page, state(name, "done"))
    card = page.locator(f"[data-testid=result][data-name='{name}']")
    return int(card.get_attribute("data-index"))


def facts(page):
    """What the engine says of the model: version, engine and why no better variant."""
    (model,) = visit.call(page, "library")["value"]["models"]
    return model["version"], model["variant"]["engine"], model["reason"]


@pytest.mark.heavy
def test_a_page_that_lost_its_isolation_goes_on_with_the_other_engine_and_updates_along_it(
    page, url, host, owner, watch, until
):
    page.goto(url)
    until(page, READY)
    assert label(page, until, "1", "first.png") == 1
    assert facts(page) == ("1.0.0", "litert", "")

    host.isolates = host.gives_models = False
    watch.expect("503")
    page.goto(f"{url}?later")  # not with the headers that the browser has kept
    told = "() => document.body.innerText.includes('Go online once')"
    until(page, told)
    assert "this browser lacks threads" in page.inner_text("body").lower()

    host.gives_models = True  # whoever wants an answer then gets one
    assert label(page, until, "7", "other.png") == 2
    assert facts(page) == ("1.0.0", "onnxruntime", WHY)
    page.get_by_role("link", name="Models").click()
    until(page, f"() => document.body.innerText.includes('{WHY}')")
    entry = page.locator("#history [data-outcome=switched]")
    assert entry.count() == 1

    owner.release("1.1.0")
    assert visit.call(page, "check")["value"]
    assert visit.call(page, "fetch", owner.model)["value"]
    assert facts(page) == ("1.1.0", "onnxruntime", WHY)

    host.isolates = True
    page.goto(url)
    until(page, READY)
    assert facts(page)[:2] == ("1.1.0", "onnxruntime")
    assert visit.call(page, "rollback", owner.model)["value"]
    assert facts(page) == ("1.0.0", "litert", "")
    page.get_by_role("link", name="Digits", exact=True).click()
    assert label(page, until, "0", "back.png") == 0
