"""The library in the page: updates as people see them, from the offer to the way back."""

from __future__ import annotations

import re
import shutil

import pytest
import visit
from page_photos import CATS, READY
from publisher import MODEL, Dawdler, Publisher

from builder.release import development
from builder.server import serving
from tests.conftest import some

UPDATE = "document.querySelector('[data-testid=update]').dataset.state"
CARD = f"document.querySelector('[data-testid=model-row][data-model=\"{MODEL}\"]')"
CALM = f"() => ({READY})() && satchel.engine.call('library').then(({{ check }}) => !check.running)"
SOME = f"() => {CARD}?.querySelector('.update progress')?.value > 0"
NARROW = {"width": 390, "height": 844}
FITS = "document.documentElement.scrollWidth <= innerWidth"
METERED = "Object.defineProperty(navigator, 'connection', { value: { type: 'cellular' } });"


def update(state: str) -> str:
    """JavaScript for `until`: the update in the strip is in this state."""
    return f"() => {UPDATE} === '{state}'"


def runs(version: str) -> str:
    """JavaScript for `until`: the strip says that this version runs."""
    chip = "document.querySelector('[data-testid=model-version]').textContent"
    return f"() => {chip} === 'Label {version}'"


def card(words: str) -> str:
    """JavaScript for `until`: the model's card holds these words."""
    return f"() => {CARD}?.innerText.includes('{words}')"


@pytest.fixture
def dawdler():
    return Dawdler()


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    """The owner's folder as it was at first, and as it is now: the site is built once."""
    first = tmp_path_factory.mktemp("owner")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SATCHEL_OFFLINE_KEYS", str(first / "keys/offline"))
        patch.setenv("SATCHEL_ONLINE_KEYS", str(first / "keys/online"))
        patch.setattr(development, "STORE", first / "repositories")
        made = Publisher(first / "owner")
        kept = shutil.copytree(first, first.with_name("kept"))
        yield made, kept, first


@pytest.fixture
def publisher(owner):
    made, kept, now = owner
    shutil.rmtree(now)
    shutil.copytree(kept, now)
    return made


@pytest.fixture
def url(publisher, dawdler, watch):
    """The owner's site, on a host that can dawdle."""
    with serving(publisher.dist, wrap=dawdler) as address:
        watch.allow_origin(address)
        yield address


@pytest.fixture
def visitor(context, url, until):
    """A page that shows its models, after its first look for new versions."""
    page = context.new_page()
    page.goto(f"{url}#models")
    until(page, READY)
    until(page, f"() => {CARD} !== null")
    until(page, CALM)
    return page


def press(page, name: str) -> None:
    """Press a button of the model's card."""
    page.get_by_role("button", name=f"{name}: Label", exact=True).click()


def check(page, until, wanted: str) -> None:
    """Look for new versions, and wait for what comes of it."""
    page.get_by_role("button", name="Check now").click()
    until(page, update(wanted))


def history(page) -> list[str]:
    return page.locator("#history .outcome").all_inner_texts()


def test_an_update_is_offered_fetched_and_taken_and_the_old_version_comes_back_offline(
    visitor, publisher, context, until
):
    publisher.release("1.1.0", changelog="Knows <b>puffins</b>.")
    check(visitor, until, "available")
    said = visitor.locator("[data-testid=model-row] .update").inner_text()
    assert "Version 1.1.0 is ready" in said
    assert "Knows <b>puffins</b>." in said
    assert re.search(r"1\.\d MB of 4\.9 MB to fetch", said)
    press(visitor, "Update")
    until(visitor, runs("1.1.0"))
    until(visitor, update("none"))
    visitor.get_by_role("link", name="Label", exact=True).click()
    assert visit.label(visitor, until, name="new.jpg") in CATS
    visitor.get_by_role("link", name="Models").click()
    until(visitor, visit.OFFLINE_READY)
    context.set_offline(True)
    press(visitor, "Go back to 1.0.0")
    until(visitor, runs("1.0.0"))
    assert history(visitor)[:2] == ["rolled back", "updated"]
    assert visitor.inner_text("#notes") == ""  # who went back knows it
    visitor.get_by_role("link", name="Label", exact=True).click()
    assert visit.label(visitor, until, name="old.jpg") in CATS


@pytest.mark.heavy
def test_a_paused_download_goes_on_after_a_reload(visitor, publisher, dawdler, until):
    publisher.release("1.1.0")
    check(visitor, until, "available")
    dawdler.hold()
    press(visitor, "Update")
    until(visitor, SOME)
    assert "Meanwhile 1.0.0 goes on answering." in visitor.inner_text("[data-testid=model-row]")
    press(visitor, "Pause")
    until(visitor, update("paused"))
    visitor.reload()
    until(visitor, update("paused"))
    until(visitor, SOME)
    dawdler.let()
    press(visitor, "Go on")
    until(visitor, runs("1.1.0"))


@pytest.mark.heavy
def test_a_cancelled_download_is_as_if_it_had_not_begun(visitor, publisher, dawdler, until):
    publisher.release("1.1.0")
    check(visitor, until, "available")
    offered = visitor.inner_text("[data-testid=model-row] .update .num")
    dawdler.hold()
    press(visitor, "Update")
    until(visitor, SOME)
    press(visitor, "Cancel")
    until(visitor, update("available"))
    assert visitor.inner_text("[data-testid=model-row] .update .num") == offered


def test_a_failed_update_says_why_and_that_the_old_version_runs(
    visitor, publisher, context, until, watch
):
    watch.expect("Failed to load resource")
    publisher.release("1.1.0")
    check(visitor, until, "available")
    blobs = publisher.dist / "models/blobs"
    kept = blobs.rename(blobs.with_name("elsewhere"))
    press(visitor, "Update")
    until(visitor, update("failed"), seconds=120)
    said = visitor.locator("[data-testid=model-row] .update").inner_text()
    assert "404" in said
    assert "Version 1.0.0 is still running." in said
    until(visitor, "() => document.getElementById('history').innerText.includes('404')")
    assert visitor.inner_text("[data-testid=model-row]").count("404") == 1
    visitor.set_viewport_size(NARROW)
    assert visitor.evaluate(FITS)
    kept.rename(blobs)
    press(visitor, "Try again")
    until(visitor, runs("1.1.0"))


@pytest.mark.heavy
def test_a_version_that_was_set_aside_is_offered_again_when_somebody_asks(
    visitor, publisher, until
):
    publisher.release("1.1.0")
    check(visitor, until, "available")
    press(visitor, "Update")
    until(visitor, runs("1.1.0"))
    press(visitor, "Go back to 1.0.0")
    until(visitor, runs("1.0.0"))
    until(visitor, card("Version 1.1.0 was set aside."))
    visitor.get_by_role("button", name="Check now").click()
    until(visitor, CALM)
    assert visitor.evaluate(UPDATE) == "none"
    press(visitor, "Take 1.1.0 again")  # it is still here
    until(visitor, runs("1.1.0"))


@pytest.mark.heavy
def test_a_version_stays_when_somebody_wants_it_to(visitor, publisher, until):
    press(visitor, "Stay at 1.0.0")
    until(visitor, card("stays at 1.0.0"))
    publisher.release("1.1.0")
    visitor.get_by_role("button", name="Check now").click()
    until(visitor, CALM)
    assert visitor.evaluate(UPDATE) == "none"
    press(visitor, "Follow updates again")
    check(visitor, until, "available")


@pytest.mark.heavy
def test_a_deleted_model_comes_back_when_it_is_wanted(visitor, until):
    press(visitor, "Delete from this device")
    question = visitor.get_by_role("group")
    assert "This page needs it" in question.inner_text()
    press(visitor, "Keep it")
    press(visitor, "Delete from this device")
    press(visitor, "Delete")
    until(visitor, "() => !document.getElementById('setup').hidden")
    assert not visit.installed(visitor)
    visitor.get_by_role("link", name="Label", exact=True).click()
    visitor.get_by_role("button", name="Download").click()
    until(visitor, READY)
    assert visit.label(visitor, until) in CATS
    visitor.get_by_role("link", name="Models").click()
    assert history(visitor)[:2] == ["installed", "removed"]
    visitor.get_by_role("button", name="Clear this list").click()
    until(visitor, "() => !document.getElementById('history-none').hidden")
    assert history(visitor) == []


@pytest.mark.heavy
def test_another_tab_follows_an_update_that_it_cannot_stop(
    visitor, publisher, dawdler, context, url, until
):
    other = context.new_page()
    other.goto(f"{url}#models")
    until(other, CALM)
    publisher.release("1.1.0")
    check(visitor, until, "available")
    until(other, update("available"))
    dawdler.hold()
    press(visitor, "Update")
    until(other, update("downloading"))
    until(other, card("Fetching version 1.1.0"))
    assert not other.get_by_role("button", name="Pause").count()
    dawdler.let()
    for page in (visitor, other):
        until(page, runs("1.1.0"))


@pytest.mark.heavy
def test_what_is_new_is_told_on_the_next_visit_wherever_somebody_is(
    visitor, publisher, context, url, until
):
    visitor.close()
    publisher.release("1.1.0", changelog="Knows puffins.")
    page = context.new_page()
    page.goto(url)
    until(page, "() => document.querySelector('#notes .note')?.innerText.includes('1.1.0')")
    assert re.search(r"Label 1\.1\.0 is ready: 1\.\d MB to fetch\.", page.inner_text("#notes"))
    page.get_by_role("button", name="See what is new").click()
    until(page, card("Knows puffins."))
    assert not page.locator("#notes .note").count()


@pytest.mark.heavy
def test_a_needed_update_is_asked_for_once_where_it_may_cost(
    visitor, publisher, context, url, until
):
    until(visitor, visit.OFFLINE_READY)  # else the engine itself is asked for
    visitor.close()
    publisher.release("1.1.0", mandatory=True)
    context.add_init_script(METERED)
    page = context.new_page()
    page.goto(url)
    until(page, "() => document.querySelector('#notes .note')?.innerText.includes('may cost you')")
    page.get_by_role("button", name="Later").click()
    page.reload()
    until(page, update("waiting"))
    until(page, CALM)
    assert not page.locator("#notes .note").count()
    page.get_by_role("link", name="Models").click()
    press(page, "Update")
    until(page, runs("1.1.0"))


@pytest.mark.heavy
def test_a_needed_update_comes_by_itself_where_it_costs_nothing(
    visitor, publisher, context, url, until
):
    visitor.close()
    publisher.release("1.1.0", mandatory=True)
    page = context.new_page()
    page.goto(url)
    until(page, runs("1.1.0"))


def test_a_withdrawn_version_gives_way_and_the_page_says_so(visitor, publisher, until):
    publisher.release("1.1.0")
    check(visitor, until, "available")
    press(visitor, "Update")
    until(visitor, runs("1.1.0"))
    publisher.withdraw("1.1.0")
    visitor.get_by_role("button", name="Check now").click()
    until(visitor, runs("1.0.0"))
    assert "withdrawn" in history(visitor)


def test_the_engine_hears_how_the_device_is_doing(visitor, context, until):
    visitor.evaluate(
        """() => {
            const call = satchel.engine.call.bind(satchel.engine);
            globalThis.heard = [];
            satchel.engine.call = (op, args, options) => {
                if (op === "conditions") heard.push(args[0]);
                return call(op, args, options);
            };
        }"""
    )
    context.set_offline(True)
    until(visitor, "() => heard.at(-1)?.onLine === false")
    context.set_offline(False)
    until(visitor, "() => heard.at(-1).onLine")
    assert set(visitor.evaluate("heard.at(-1)")) >= {"level", "charging", "visibility"}


@pytest.mark.parametrize("scheme", some(["light", "dark"], ["light"]))
def test_nothing_keeps_anyone_from_the_models(visitor, publisher, until, findings, scheme):
    visitor.emulate_media(color_scheme=scheme)
    visitor.set_viewport_size(NARROW)
    publisher.release("1.1.0")
    check(visitor, until, "available")
    press(visitor, "Delete from this device")
    assert findings(visitor) == []
    press(visitor, "Keep it")
    press(visitor, "Update")
    until(visitor, runs("1.1.0"))
    press(visitor, "Go back to 1.0.0")
    until(visitor, runs("1.0.0"))
    assert findings(visitor) == []
    assert visitor.evaluate(FITS)


def test_the_focus_stays_in_the_card_while_an_update_goes_on(visitor, publisher, dawdler, until):
    publisher.release("1.1.0")
    check(visitor, until, "available")
    dawdler.hold()
    visitor.get_by_role("button", name="Update: Label").press("Enter")
    until(visitor, SOME)
    inside = f"() => {CARD}.contains(document.activeElement)"
    assert visitor.evaluate(inside)
    visitor.get_by_role("button", name="Pause: Label").press("Enter")
    # Where no batch of it was stored yet there is nothing to go on with: it is on offer as before.
    until(visitor, f"() => ['paused', 'available'].includes({UPDATE})")
    assert visitor.evaluate(inside)
    dawdler.let()
