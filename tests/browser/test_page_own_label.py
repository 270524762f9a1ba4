"""A small grey classifier of one's own: photos of any kind reach it as it was trained."""

from __future__ import annotations

import io

import own_sites
import pytest
from page_photos import state
from PIL import Image

from builder import bundle
from builder.server import serving
from builder.site import load
from tests.conftest import some

READY = "() => document.querySelector('#camera-open:not([disabled])') !== null"
OFFLINE = "() => document.querySelector('[data-testid=offline-ready]').dataset.state === 'yes'"


@pytest.fixture(scope="module", params=some([8, 32], [8]))
def built(request, tmp_path_factory):
    """A site for digits of 8 × 8 and of 32 × 32 pixels."""
    folder = tmp_path_factory.mktemp("own")
    labels = "".join(f"digit {name}\n" for name in own_sites.GLYPHS)
    model = own_sites.digits(request.param)
    site = load(own_sites.make(folder / "digits", "label", model, labels=labels, title="Digits"))
    return bundle.build(site, site.dist)


@pytest.fixture
def visit(built, page, watch, until):
    with serving(built) as url:
        watch.allow_origin(url)
        page.goto(url)
        until(page, READY)
        yield page
        page.goto("about:blank")


def photo(digit, mode="RGB", size=(96, 96), kind="PNG"):
    """A photo of a digit."""
    image = Image.fromarray(own_sites.glyph(digit, 64)).resize(size).convert(mode)
    file = io.BytesIO()
    image.save(file, kind)
    payload = {
        "name": f"{digit}-{mode}-{size[0]}.{kind.lower()}",
        "mimeType": f"image/{kind.lower()}",
    }
    return payload | {"buffer": file.getvalue()}


def test_digits_are_labelled_whatever_their_colours_and_size(visit, until, context):
    page = visit
    photos = [
        photo("0"), photo("1", "L"), photo("7", "RGBA"), photo("1", size=(8, 8)),
        photo("7", size=(640, 640), kind="JPEG"), photo("0", "P"),
    ]  # fmt: skip
    page.get_by_test_id("file-input").set_input_files(photos)
    for one in photos:
        until(page, state(one["name"], "done"))
        row = page.locator(f"[data-testid=result][data-name='{one['name']}']")
        assert f"digit {one['name'][0]}" in row.locator("li").first.text_content()
    until(page, OFFLINE)
    context.set_offline(True)
    page.reload()
    until(page, READY)
    page.get_by_test_id("file-input").set_input_files([photos[2]])
    until(page, state(photos[2]["name"], "done"))
    context.set_offline(False)


def test_the_whole_of_a_photo_is_seen(visit, until):
    page = visit
    crop = page.evaluate(
        """async () => {
          const { models, urls } = satchel.site;
          const manifest = await (await fetch(models[0].manifest)).json();
          return manifest.releases[0].platforms.browser[0].crop;
        }"""
    )
    assert crop == 1


def test_the_page_says_nothing_of_models_that_it_has_not(visit):
    page = visit
    assert page.title() == "Digits"
    assert page.locator("#sample").count() == 0
    assert "Chelsea" not in page.content()
    assert page.get_by_test_id("model-version").inner_text() in (
        "Digits 1.0.0",
        "Model: not known yet",
    )
