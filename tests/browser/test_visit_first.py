"""The first visit: photos are labelled from the first moment on, whatever they are saved as."""

from __future__ import annotations

import io

import pytest
import visit
from page_photos import CAT, CATS, HEIC, READY, choose, copy_of, result, state
from PIL import Image

from builder.server import serving

FORMATS = {"PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}


@pytest.fixture(scope="module")
def host(dist):
    with serving(dist) as url:
        yield url


@pytest.fixture(scope="module")
def visitor(browser, host):
    with visit.watched(browser, host) as context:
        yield context


@pytest.fixture(scope="module")
def opened(visitor, host, until):
    """The page of a first visit, opened and left alone until everything is there."""
    page = visitor.new_page()
    page.goto(host, wait_until="commit")
    until(page, "() => globalThis.satchel !== undefined")
    page.evaluate(
        """() => {
          globalThis.heard = [];
          for (const event of ["download", "phase"]) {
            satchel.on(event, (value) => heard.push(value));
          }
        }"""
    )
    # Given before anything is there, and to be answered all the same.
    choose(page, copy_of(CAT, "early.jpg"))
    until(page, visit.OFFLINE_READY)
    return page


def test_a_photo_given_at_once_is_labelled_when_everything_is_there(opened, until):
    assert visit.answer(opened, until, "early.jpg") in CATS
    assert opened.get_by_test_id("engine-state").get_attribute("data-state") == "ready"
    assert "1.0.0" in opened.get_by_test_id("model-version").inner_text()


def test_progress_grows_to_the_whole_and_never_beyond(opened):
    heard = opened.evaluate("() => heard")
    for part in opened.evaluate("() => satchel.parts"):
        steps = [step for step in heard if step.get("part") == part["name"]]
        received = [step["received"] for step in steps]
        assert received == sorted(received)
        assert {step["total"] for step in steps} <= {0, part["bytes"], received[-1]}
        assert 0.9 * part["bytes"] < received[-1] <= part["bytes"]


@pytest.mark.parametrize("photo", visit.LABELS, ids=lambda photo: photo.stem)
def test_a_photo_gets_the_label_that_anyone_would_give_it(opened, until, photo):
    assert visit.label(opened, until, photo) in visit.LABELS[photo]


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_that_browsers_know_is_labelled(opened, until, kind):
    file = io.BytesIO()
    with Image.open(visit.PHOTOS / "coffee.jpg") as photo:
        photo.save(file, kind)
    name = f"coffee.{kind.lower()}"
    choose(opened, {"name": name, "mimeType": FORMATS[kind], "buffer": file.getvalue()})
    assert visit.answer(opened, until, name) == 967


def test_bad_files_among_good_ones_hold_nothing_up(opened, until):
    cut = {**copy_of(CAT, "cut.jpg"), "buffer": CAT.read_bytes()[:300]}
    empty = {"name": "empty.png", "mimeType": "image/png", "buffer": b""}
    good = [copy_of(CAT, f"good {n}.jpg") for n in range(3)]
    choose(opened, HEIC, good[0], cut, good[1], empty, good[2])
    for n in range(3):
        assert visit.answer(opened, until, f"good {n}.jpg") in CATS
    for name in (HEIC["name"], "cut.jpg", "empty.png"):
        until(opened, state(name, "failed"))
        assert len(result(opened, name).locator(".why").inner_text()) > 20


def test_the_model_can_be_removed_and_comes_back(opened, host):
    assert visit.call(opened, "remove", visit.MODEL) == {"value": None}
    assert not visit.installed(opened)
    assert visit.stored(opened) == {"models": 0, "blobs": 0}
    photo = opened.evaluate_handle("() => new Blob()")
    assert visit.call(opened, "label", photo)["error"] == "ModelNotFoundError"
    assert visit.call(opened, "install", visit.MODEL)["value"]["version"] == "1.0.0"
    assert visit.installed(opened)


USED_TODAY = """async (model) => {
  const { name } = (await indexedDB.databases()).find(({ name }) => name.startsWith("satchel:"));
  const settled = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const database = await settled(indexedDB.open(name));
  const text = await settled(database.transaction("models").objectStore("models").get(model));
  database.close();
  return JSON.parse(text).used_at === new Date().toISOString().slice(0, 10);
}"""


@pytest.mark.heavy
def test_the_day_on_which_a_model_was_used_is_remembered(browser, host, until):
    with visit.watched(browser, host) as newcomer:
        page = newcomer.new_page()
        page.goto(host)
        until(page, READY)
        until(page, f"() => ({USED_TODAY})('{visit.MODEL}')")


def test_two_tabs_at_once_both_work_and_the_model_comes_once(browser, host, until):
    host.log.clear()
    with visit.watched(browser, host) as newcomer:
        tabs = [newcomer.new_page() for _ in range(2)]
        for tab in tabs:
            tab.goto(host, wait_until="commit")
        for tab in tabs:
            until(tab, READY)
        for tab in tabs:
            assert visit.label(tab, until) in CATS
            assert visit.installed(tab)
        assert visit.stored_the_model(tabs[0])
    asked = [answer.path for answer in host.log if "/models/blobs/" in answer.path]
    assert sorted(asked) == sorted(set(asked))
