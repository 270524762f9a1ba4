"""Every view of the page, as a visitor sees it: two widths, light and dark."""

import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from builder import bundle
from builder.browser import NO_PRESSURE, chromium, launch_args
from builder.errors import BuildError
from builder.paths import ROOT, STATIC
from builder.progress import doing, say
from builder.server import serving
from builder.site import load

SIZES = {"1280": (1280, 900), "390": (390, 844)}
SCHEMES = ("light", "dark")

READY_SECONDS = 120
"""From opening the page to the last label, on a slow machine."""


VIEWS = {
    "models": "[data-testid=model-row]",
    "device": "#effort-facts dd",
    "about": "#about-models li",
}
"""Views beside that of the label model, and what is there once they are complete."""

PHOTOS = sorted((STATIC / "samples").glob("*.jpg"))


def run(out: Path) -> None:
    """Build the site and photograph it into a folder.

    Raises:
        BuildError: The page didn't get ready.
    """
    folder = bundle.build(load(ROOT / "site.toml"), ROOT / "dist")
    out.mkdir(parents=True, exist_ok=True)
    with serving(folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(chromium()), args=launch_args("--hide-scrollbars", NO_PRESSURE)
        )
        for size in SIZES:
            for scheme in SCHEMES:
                with doing(f"Photographing at {size} pixels, {scheme} …"):
                    _photograph(browser, url, out, size, scheme)
        browser.close()
    say(f"Wrote {len(list(out.glob('*.png')))} pictures to {out}.")


def _photograph(browser: Browser, url: str, out: Path, size: str, scheme: str) -> None:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=2 if width < 1000 else 1,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(url)
    _wait(page, "() => document.querySelector('#camera-open:not([disabled])') !== null")
    page.screenshot(path=out / f"first-{size}-{scheme}.png", full_page=True)
    page.get_by_test_id("file-input").set_input_files(PHOTOS)
    done = "[data-testid=result][data-state=done]"
    _wait(page, f"() => document.querySelectorAll('{done}').length === {len(PHOTOS)}")
    # The picture should show the finished state, not a spinner about to go.
    _wait(
        page, "() => document.querySelector('[data-testid=offline-ready]').dataset.state === 'yes'"
    )
    _wait(page, "() => !document.querySelector('#strategy').hidden")
    page.screenshot(path=out / f"label-{size}-{scheme}.png", full_page=True)
    for view, there in VIEWS.items():
        page.evaluate("(view) => { location.hash = view }", view)
        _wait(page, f"() => !document.querySelector('#view-{view}').hidden")
        _wait(page, f"() => document.querySelector('{there}') !== null")
        page.screenshot(path=out / f"{view}-{size}-{scheme}.png", full_page=True)
    context.close()


def _wait(page: Page, condition: str) -> None:
    """Poll: Playwright's own waiting evaluates strings, which the page's policy forbids."""
    end = time.monotonic() + READY_SECONDS
    while not page.evaluate(condition):
        if time.monotonic() > end:
            raise BuildError(f"The page didn't get there within {READY_SECONDS} s: {condition}")
        page.wait_for_timeout(50)
