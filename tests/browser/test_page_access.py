"""The page for everyone: by keyboard, by screen reader, on a phone, in the dark."""

from __future__ import annotations

import time

import pytest
from page_photos import CAT, HEIC, INTERFACE, Gate, choose, copy_of, leave, state

NARROW = {"width": 390, "height": 844}


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


@pytest.fixture
def visit(browser, watch, site_url, until):
    """Opens the page in a fresh context: visit(color_scheme=…, viewport=…)."""
    contexts = []

    def start(hold=None, address="", **options):
        context = browser.new_context(**options)
        contexts.append(context)
        watch.context(context)
        if hold:
            Gate(context, hold)
        page = context.new_page()
        page.goto(site_url + address)
        until(page, INTERFACE)
        return page

    yield start
    for context in contexts:
        leave(context)
        context.close()


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nothing_keeps_anyone_from_the_first_download(visit, findings, scheme):
    page = visit(hold="**/pyodide.asm.wasm.zst", color_scheme=scheme)
    assert findings(page) == []


def test_nothing_keeps_anyone_from_the_results(visit, findings, scheme, until):
    page = visit(color_scheme=scheme)
    choose(page, CAT, HEIC)
    until(page, state(CAT.name, "done"))
    until(page, state(HEIC["name"], "failed"))
    page.locator("summary").click()
    assert findings(page) == []


def test_nothing_keeps_anyone_from_about(visit, findings, scheme):
    page = visit(hold="**/pyodide.asm.wasm.zst", address="#about", color_scheme=scheme)
    assert page.locator("#view-about").is_visible()
    assert findings(page) == []


def test_nothing_keeps_anyone_from_the_camera(visit, findings, scheme):
    page = visit(hold="**/pyodide.asm.wasm.zst", color_scheme=scheme)
    page.get_by_role("button", name="Use the camera").click()
    page.locator("#camera").wait_for()
    assert findings(page) == []


@pytest.mark.parametrize("address", ["", "#models", "#device", "#about"])
def test_a_phone_never_scrolls_sideways(visit, address):
    assert fits(visit(hold="**/pyodide.asm.wasm.zst", address=address, viewport=NARROW))


def test_results_fit_a_phone_whatever_the_file_is_called(visit, until):
    page = visit(viewport=NARROW)
    name = "a" * 180 + ".jpg"
    choose(page, copy_of(CAT, name), HEIC)
    until(page, state(name, "done"))
    page.locator("summary").click()
    assert fits(page)


def test_the_page_keeps_to_what_the_system_wants_of_colours_and_motion(visit):
    page = visit(hold="**/pyodide.asm.wasm.zst", forced_colors="active", reduced_motion="reduce")
    moving = "document.getAnimations().filter((one) => one.playState === 'running').length"
    assert page.evaluate(moving) == 0
    border = "getComputedStyle(document.querySelector('.drop')).borderTopStyle"
    assert page.evaluate(border) == "dashed"


def test_everything_is_reached_by_the_keyboard_and_the_focus_is_seen(visit):
    page = visit(hold="**/pyodide.asm.wasm.zst")
    reached = []
    for _ in range(15):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => {
                    const { activeElement: at } = document;
                    const seen = at.id === "file-input" ? at.nextElementSibling : at;
                    const shown = getComputedStyle(seen).outlineStyle !== "none";
                    return (at.id || at.textContent.trim()) + (shown ? "" : " (not seen)");
                }"""
            )
        )
    wanted = ["Skip to the content", "Satchel", "Label", "Models", "Device", "About"]
    wanted += ["file-input", "camera-open", "sample", "Cancel"]
    wanted += ["Choose how hard it works", "Details", "How this works", "Licences"]
    assert reached[: len(wanted)] == wanted


def test_the_keyboard_alone_chooses_photos(visit, until):
    page = visit()
    # Listening comes first: a chooser that opens before is the browser's own, and nobody's.
    choosers = []

    def noted(chooser):
        choosers.append(chooser)

    page.on("filechooser", noted)
    page.get_by_test_id("file-input").focus()
    page.keyboard.press("Space")
    end = time.monotonic() + 30
    while not choosers:
        assert time.monotonic() < end, "no file chooser opened"
        page.wait_for_timeout(50)
    choosers[0].set_files(str(CAT))
    until(page, state(CAT.name, "done"))


def test_the_skip_link_leads_into_the_view_that_is_shown(visit):
    page = visit(hold="**/pyodide.asm.wasm.zst", address="#about")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.locator("#view-about").is_visible()


def test_changing_the_view_takes_the_reader_along(visit, until):
    page = visit(hold="**/pyodide.asm.wasm.zst")
    page.get_by_role("link", name="About", exact=True).press("Enter")
    until(page, "() => document.activeElement.id === 'about-title'")
    assert page.title() == "About · Satchel"
    assert page.locator("nav [aria-current]").inner_text() == "About"
    page.go_back()
    page.locator("#view-label").wait_for()


def test_the_focus_stays_when_its_button_goes(visit, until):
    page = visit(hold="**/pyodide.asm.wasm.zst")
    choose(page, CAT)
    until(page, state(CAT.name, "pending"))
    page.get_by_role("button", name=f"Cancel: {CAT.name}").press("Enter")
    until(page, state(CAT.name, "cancelled"))
    inside = "document.activeElement.closest('[data-testid=result]')?.dataset.name"
    assert page.evaluate(inside) == CAT.name
