"""Photos on the page: however they come in, people see what became of each of them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from page_photos import (
    CAT,
    CATS,
    HEIC,
    INTERFACE,
    READY,
    TEXT,
    Gate,
    choose,
    copy_of,
    hand_over,
    leave,
    result,
    state,
    turned_photo,
)

from tests.conftest import some


@pytest.fixture
def opened(page, site_url, until):
    """The page, interactive; its engine may still be on its way."""
    page.goto(site_url)
    until(page, INTERFACE)
    yield page
    leave(page.context)


def said(words: str) -> str:
    """JavaScript that tells whether people who listen to the page were told this."""
    return f"() => document.querySelector('#announce').innerText.includes({json.dumps(words)})"


def test_a_file_that_is_no_image_is_explained_and_the_others_go_on(opened, until):
    choose(opened, HEIC, CAT, TEXT)
    until(opened, state(CAT.name, "done"))
    assert int(result(opened, CAT.name).get_attribute("data-index")) in CATS
    assert float(result(opened, CAT.name).get_attribute("data-ms")) > 0
    for name, word in ((HEIC["name"], "HEIC"), (TEXT["name"], "text")):
        until(opened, state(name, "failed"))
        assert word in result(opened, name).inner_text()
    assert opened.inner_text("#queue-count") == "1 of 3 done, 2 not read"


def test_a_photo_shows_its_five_likeliest_labels_with_bars(opened, until):
    choose(opened, CAT)
    until(opened, state(CAT.name, "done"))
    bars = result(opened, CAT.name).locator(".bars li")
    assert bars.count() == 5
    shares = [float(bar.get_attribute("value")) for bar in bars.locator("progress").all()]
    assert shares == sorted(shares, reverse=True)
    until(opened, said("cat"))


@pytest.mark.heavy
def test_two_sentences_within_one_breath_are_both_read_out(opened, until):
    for file in (HEIC, TEXT):
        choose(opened, file)
        until(opened, said(file["name"]))
    log = opened.locator("#announce")
    assert log.get_attribute("role") == "log"
    assert HEIC["name"] in log.inner_text()


@pytest.mark.parametrize("gesture", some(["drop", "paste"], ["drop"]))
def test_a_photo_can_be_handed_over_anywhere_on_the_page(opened, until, gesture):
    hand_over(opened, gesture, CAT)
    until(opened, state(CAT.name, "done"))


def test_a_dragged_file_shows_where_it_may_go(opened):
    drag = """(kind) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(["x"], "x.png", { type: "image/png" }));
        document.body.dispatchEvent(
            new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
    }"""
    opened.evaluate(drag, "dragover")
    assert opened.evaluate("document.documentElement.hasAttribute('data-dragging')")
    opened.evaluate(drag, "dragleave")
    assert not opened.evaluate("document.documentElement.hasAttribute('data-dragging')")


def test_a_thumbnail_stands_upright_whichever_way_the_camera_was_held(opened, until):
    choose(opened, {"name": "turned.jpg", "mimeType": "image/jpeg", "buffer": turned_photo()})
    until(opened, "() => document.querySelector('.thumb canvas') !== null")
    above, below = opened.evaluate(
        """() => {
            const thumb = document.querySelector(".thumb canvas");
            const copy = new OffscreenCanvas(thumb.width, thumb.height).getContext("2d");
            copy.drawImage(thumb, 0, 0);
            const at = (y) => [...copy.getImageData(thumb.width / 2, y, 1, 1).data];
            return [at(thumb.height * 0.2), at(thumb.height * 0.8)];
        }"""
    )
    assert above[0] > 200
    assert above[2] < 60
    assert below[2] > 200
    assert below[0] < 60


@pytest.mark.heavy
def test_work_given_before_the_interface_is_there_waits_its_turn(page, context, site_url, until):
    gate = Gate(context, "**/micropython.wasm")
    page.goto(site_url, wait_until="commit")
    page.get_by_test_id("file-input").wait_for(state="attached")
    until(page, "() => globalThis.satchel !== undefined")
    choose(page, CAT)
    assert page.inner_text("#early") == f"{CAT.name} is waiting its turn."
    gate.open()
    until(page, state(CAT.name, "done"))
    assert page.inner_text("#early") == ""


def test_a_waiting_photo_can_be_cancelled_and_wanted_again(page, context, site_url, until):
    gate = Gate(context, "**/pyodide.asm.wasm.zst")
    page.goto(site_url)
    until(page, INTERFACE)
    choose(page, CAT, copy_of(CAT, "other.jpg"))
    until(page, state(CAT.name, "pending"))
    page.get_by_role("button", name=f"Cancel: {CAT.name}").click()
    until(page, state(CAT.name, "cancelled"))
    gate.open()
    until(page, state("other.jpg", "done"))
    assert result(page, CAT.name).get_attribute("data-state") == "cancelled"
    page.get_by_role("button", name=f"Look at it after all: {CAT.name}").click()
    until(page, state(CAT.name, "done"))


def test_all_that_wait_can_be_cancelled_at_once_and_the_list_cleared(
    page, context, site_url, until
):
    Gate(context, "**/pyodide.asm.wasm.zst")
    page.goto(site_url)
    until(page, INTERFACE)
    choose(page, *[copy_of(CAT, f"{n}.jpg") for n in range(4)])
    page.get_by_role("button", name="Cancel all").click()
    until(page, "() => document.querySelectorAll('[data-state=cancelled]').length === 4")
    page.get_by_role("button", name="Clear the list").click()
    until(page, "() => document.querySelector('[data-testid=result]') === null")
    assert page.locator("#queue").is_hidden()
    leave(context)


def test_the_results_can_be_saved_as_a_table_and_as_json(opened, until, tmp_path):
    tricky = copy_of(CAT, '=1+1, "ø\\\u2028".jpg')
    choose(opened, tricky, TEXT)
    until(opened, "() => document.querySelector('[data-testid=result][data-state=done]')")
    until(opened, state(TEXT["name"], "failed"))

    def saved(button: str) -> str:
        with opened.expect_download() as download:
            opened.get_by_role("button", name=button).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        return Path(path).read_bytes().decode("utf-8-sig")

    rows = list(csv.reader(io.StringIO(saved("Save as CSV"), newline=""), strict=True))
    assert rows[0] == ["file", "rank", "index", "label", "score", "ms"]
    assert [row[1] for row in rows[1:]] == ["1", "2", "3", "4", "5"]
    assert {row[0] for row in rows[1:]} == {"'" + tricky["name"]}
    assert int(rows[1][2]) in CATS
    value = json.loads(saved("Save as JSON"))
    assert [(one["file"], one["state"]) for one in value["results"]] == [
        (tricky["name"], "done"),
        (TEXT["name"], "failed"),
    ]
    assert value["results"][0]["model"]["id"] == "efficientnet-lite0"
    assert value["results"][0]["predictions"][0]["index"] == int(rows[1][2])
    told = [name for name in value["results"][0] if name != "made"]  # nothing decided the first one
    assert told == ["file", "state", "model", "ms", "predictions"]


def test_the_sample_is_labelled_like_any_photo(opened, until):
    opened.get_by_role("button", name="Try a sample").click()
    until(opened, state(CAT.name, "done"))
    until(opened, READY)


def test_a_photo_taken_with_the_camera_is_labelled_and_the_camera_goes_off(
    playwright, site_url, watch, until
):
    from builder.browser import chromium, launch_args

    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    browser = playwright.chromium.launch(executable_path=str(chromium()), args=launch_args(*fake))
    context = browser.new_context(permissions=["camera"])
    watch.context(context)
    page = context.new_page()
    page.goto(site_url)
    until(page, INTERFACE)
    page.get_by_role("button", name="Use the camera").click()
    until(page, "() => !document.getElementById('camera-take').disabled")
    page.keyboard.press("Enter")  # the button to take the photo has the focus
    until(page, state("camera-1.jpg", "done"))
    assert page.locator("#camera").is_hidden()
    assert page.evaluate("document.getElementById('camera-view').srcObject === null")
    browser.close()


def test_a_camera_that_is_not_allowed_says_what_to_do(opened, context, until):
    context.clear_permissions()
    opened.evaluate(
        """() => {
            navigator.mediaDevices.getUserMedia = async () => {
                throw new DOMException("denied", "NotAllowedError");
            };
        }"""
    )
    opened.get_by_role("button", name="Use the camera").click()
    until(opened, "() => document.getElementById('camera-why').textContent.includes('Allow it')")
    opened.keyboard.press("Escape")
    assert opened.locator("#camera").is_hidden()
