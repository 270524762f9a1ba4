"""An update ends in its midst, at each step: with its tab, its workers, or the whole browser.

The old version or the new one is there, whole, and works; the next attempt goes on from what was
kept.
"""

from __future__ import annotations

import contextlib

import pytest
import visit
from endings import ON_THE_WAY, WHOLE, alive, kill, processes
from home import MODEL, at_home
from matrix import BLOB, ENDED, TIMESTAMP
from page_photos import CATS, READY

BATCH, LARGEST, JOIN = 1024 * 1024, 256 * 1024, 32 * 1024
"""Bytes that an interruption may cost: satchel.keeping, satchel_models.chunking, satchel.plan."""

STALLS = {
    "checking": {"path": TIMESTAMP, "fault": "stall"},
    "downloading": {"path": BLOB, "fault": "stall", "at": 0.6},
}
"""Steps at which the host stops; at the others the engine says that it is there."""


BEGIN = """([op, args]) => {
  const told = (words) => { globalThis[op] = words; };
  satchel.engine.call(op, args).then(() => told("done"), ({ message }) => told(message));
}"""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with at_home(tmp_path_factory.mktemp("ended")) as host:
        yield host


def begin(page, host, lane: str, ending) -> None:
    """Let the update begin; where the engine says that it is at the step, it ends there."""
    stall = STALLS.get(ending.step)
    rules = [{**stall, "path": stall["path"].replace(BLOB, host.home.blob)}] if stall else []
    host.lead(lane, "new", *rules)
    if ending.step == "checking":
        page.evaluate("() => { satchel.engine.call('check').catch(() => {}); }")
    else:
        answer = visit.call(page, "check")
        assert "value" in answer, answer
        reached = f"{host.address}{lane}/_reached"
        step = "" if stall else ending.step
        page.evaluate(ON_THE_WAY, [MODEL, step, ending.how, reached])
    if stall:
        wait(page, lambda: host.stalled(lane))


def wait(page, condition, seconds: float = 60) -> None:
    """Wait until something holds here."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        page.wait_for_timeout(20)
    raise AssertionError("it didn't happen")


def goes_on(page, host, lane: str, until, ending) -> None:
    """What must be true afterwards, and that the next attempt gets what is missing, and works."""
    until(page, READY)
    found = whole(page, host)
    assert found["active"] == "1.0.0" or ending.step == "activating"
    assert visit.label(page, until, name=f"{ending.id}.jpg") in CATS
    host.lead(lane, "new")
    answer = visit.call(page, "check")
    assert "value" in answer, answer
    (model,) = answer["value"]["models"]
    # A commit that was on its way when its worker ended may have come through meanwhile.
    assert model["version"] == found["active"] or ending.step == "activating"
    if model["version"] == "1.0.0":
        missing = model["update"]["fetch"]
        if found["parts"]:
            assert missing < model["update"]["size"]
        answer = visit.call(page, "fetch", MODEL)
        assert "value" in answer, answer
        fetched = host.fetched(lane)
        assert fetched <= missing + BATCH + LARGEST + JOIN
        if ending.step in ("verifying", "validating", "before activating", "activating"):
            assert fetched == 0, f"{fetched} bytes came, and all was there"
    assert whole(page, host)["active"] == "1.1.0"
    assert visit.label(page, until, name=f"{ending.id}-again.jpg") in CATS


def whole(page, host) -> dict:
    """Look into the store, without the engine."""
    found = page.evaluate(WHOLE, [MODEL, f"{host.address}truth/models/blobs/"])
    assert not found["problems"], found["problems"]
    return found


def cases(*hows: str):
    return [
        pytest.param(one, id=one.id, marks=[pytest.mark.heavy] if one.heavy else [])
        for one in ENDED
        if one.how in hows
    ]


@pytest.fixture(scope="module")
def visitor(host, browser, until):
    """Somebody with the old version, and one page open that does nothing."""
    with visit.watched(browser, host.address) as context:
        context.watch.expect("Failed to load resource")
        page = context.new_page()
        page.goto(host.url("visitor"))
        until(page, visit.OFFLINE_READY)
        page.goto(f"{host.address}visitor/notices.txt")
        yield page


@pytest.mark.parametrize("ending", cases("closed", "ended"))
def test_one_version_is_whole_and_the_next_attempt_goes_on(ending, visitor, host, until):
    lane = "visitor"
    page = opened(visitor, host, lane)
    until(page, READY)
    if page.evaluate(WHOLE, [MODEL, ""])["active"] != "1.0.0":
        assert "value" in visit.call(page, "remove", MODEL)
        assert "value" in visit.call(page, "install", MODEL)
    begin(page, host, lane, ending)
    if ending.how == "closed":
        if ending.step in STALLS:
            page.close()
        wait(visitor, page.is_closed)
        page = opened(visitor, host, lane)
    else:
        if ending.step in STALLS:
            page.evaluate("() => satchel.stop('for the test')")
        if ending.step != "checking":
            until(page, "() => globalThis.over === 'EngineStoppedError'")
        page.evaluate("() => satchel.start()")
    goes_on(page, host, lane, until, ending)
    page.close()


def opened(visitor, host, lane: str):
    """A tab that a script has opened, and may close."""
    with visitor.expect_popup() as popup:
        visitor.evaluate("(url) => { open(url); }", f"{host.address}{lane}/")
    page = popup.value
    page.wait_for_url(f"{host.address}{lane}/")  # until then it is a blank page
    return page


@pytest.mark.parametrize("ending", cases("killed"))
def test_after_the_browser_was_killed_one_version_is_whole_and_it_goes_on(
    ending, host, profile, tmp_path, watch, until
):
    from playwright.sync_api import Error

    lane = ending.id
    watch.allow_origin(host.address)
    watch.expect("Failed to load resource")
    with contextlib.suppress(Error), profile() as context:
        page = context.new_page()
        page.goto(host.url(lane))
        until(page, READY)
        browser = processes(tmp_path / "profile")
        host.front.reached = lambda name: kill(browser)
        begin(page, host, lane, ending)
        if ending.step in STALLS:
            kill(browser)
        wait(page, lambda: False)  # until there is no page any more
    assert not alive(browser)
    host.front.reached = lambda name: None
    with profile() as context:
        page = context.new_page()
        page.goto(host.url(lane))
        goes_on(page, host, lane, until, ending)


@pytest.mark.heavy
def test_of_two_tabs_that_want_the_same_update_one_fetches_it(host, context, watch, until):
    watch.allow_origin(host.address)
    tabs = [context.new_page() for _ in range(2)]
    for tab in tabs:
        tab.goto(host.url("tabs"))
        until(tab, READY)
    host.lead("tabs", "new")
    for op, arguments in (("check", []), ("fetch", [MODEL])):
        for tab in tabs:
            tab.evaluate(BEGIN, [op, arguments])
        for tab in tabs:
            until(tab, f"() => globalThis['{op}']")
            assert tab.evaluate(f"() => globalThis['{op}']") == "done"
    assert len([one for one in host.front.lanes["tabs"].sent if host.home.blob in one.path]) == 1
    for number, tab in enumerate(tabs):
        assert whole(tab, host)["active"] == "1.1.0"
        assert visit.label(tab, until, name=f"tab-{number}.jpg") in CATS
