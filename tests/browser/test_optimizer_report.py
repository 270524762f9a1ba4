"""The optimiser's page in a browser: opened from a file, at a desk and on a phone, in the dark."""

import pytest
import sample_reports

from satchel_models.report import compare, write

WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Pages by name, in a folder as the optimiser leaves it."""
    made = {}
    for make in (sample_reports.label, sample_reports.two_engines, sample_reports.minilm):
        folder = tmp_path_factory.mktemp(make.__name__)
        report = make(out=folder, warnings=("No data was given: accuracy says little.",))
        levels = compare([make("fast"), report, make("aggressive")])
        made[make.__name__] = write(report, folder, levels).page
    long = "a" * 90 + "_" + "b" * 90
    made["long"] = write(sample_reports.label(model=long), tmp_path_factory.mktemp("long")).page
    return made


@pytest.fixture
def opened(browser, watch, reports):
    """Opens a report: opened(name, width, scheme)."""
    contexts = []

    def open_page(name, width, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        watch.context(context)
        page = context.new_page()
        page.goto(reports[name].as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", ["label", "two_engines", "minilm", "long"])
def test_it_never_scrolls_sideways(opened, name):
    page = opened(name, 1280)
    for width in (320, 390, 700, 1000, 1200, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_keeps_anyone_from_reading_it(opened, findings, width, scheme):
    assert findings(opened("two_engines", width, scheme)) == []


def test_its_own_policy_lets_its_style_through(opened):
    page = opened("label", 1280)
    assert page.evaluate("getComputedStyle(document.querySelector('.bar rect')).height") == "12px"


def test_its_policy_keeps_scripts_out(opened, watch):
    watch.expect("Content Security Policy")
    page = opened("label", 1280)
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'),"
        " {textContent: 'globalThis.ran = true'}))"
    )
    assert page.evaluate("globalThis.ran") is None


def test_the_dark_page_is_dark(opened):
    colour = "getComputedStyle(document.body).backgroundColor"
    dark, light = (opened("label", 1280, scheme).evaluate(colour) for scheme in ("dark", "light"))
    assert dark == "rgb(20, 25, 23)"
    assert light == "rgb(247, 246, 242)"


def test_charts_have_their_size(opened):
    for width in WIDTHS:
        page = opened("label", width)
        box = page.locator(".scatter").first.bounding_box()
        assert 280 <= box["width"] <= 480
        assert box["height"] == pytest.approx(box["width"] * 300 / 380, abs=1)
        strip = page.locator(".strip").first.bounding_box()
        assert strip["width"] > 150


def test_on_paper_it_is_light(opened):
    page = opened("label", 1280, "dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(28, 36, 33)"
