"""The right effort for the device's state, on our own page: a real browser, moved by real levers.

One browser for all of it, on a battery of the tests' own; the processor's pressure comes from the
browser's own override.
"""

from __future__ import annotations

import psutil
import pytest
import visit
from page_photos import CAT, READY

from builder import power as power_supply
from builder.bench import visits
from builder.server import serving
from tests.conftest import NO_NAMES, Watch

PHOTO = """async (url) => {
  globalThis.photo = await (await fetch(url)).blob();
}"""

LABEL = """async (times) => {
  const answers = [];
  for (let i = 0; i < times; i++) {
    const { predictions, decision } = await satchel.engine.call("label", [photo, 1]);
    answers.push({ index: predictions[0].index, ...decision });
  }
  return answers;
}"""
"""JavaScript: photos one after the other, as the page's own list gives them."""

AT_ONCE = """async (times) => {
  const asked = Array.from({ length: times }, () => satchel.engine.call("label", [photo, 1]));
  return (await Promise.all(asked)).map(({ predictions, decision }) => ({
    index: predictions[0].index, ...decision,
  }));
}"""

HERE = """
from satchel import library
json.dumps([one.variant.name for one in await library.variants("efficientnet-lite0") if one.here])
"""

SESSIONS = """
from satchel import platform
workers = platform.current().engines["litert"]._workers
json.dumps({threads: worker.sessions for threads, worker in workers.items()})
"""
"""Python: how many models each worker of LiteRT holds."""

LITERT = ["litert-int8-static", "litert-int8-static@192", "litert-int8-static@160"]


def answer_of(page, right, seconds: float = 180) -> dict[str, object]:
    """Label photos until one was labelled by a decision that is right, as it was decided.

    For so long, since a machine that others make busy is answered to, too: its answers take longer,
    and that has to be over for half a minute.
    """
    for _ in range(int(seconds * 10)):
        (answer,) = page.evaluate(LABEL, 1)
        if right(answer) and "Until that is loaded" not in answer["reason"]:
            return answer
        page.wait_for_timeout(50)
    raise AssertionError(f"never that, but {answer}")


def strategy(page, wanted: str) -> dict[str, object]:
    """The first answer of that strategy."""
    return answer_of(page, lambda answer: answer.get("strategy") == wanted)


def processor_seconds(process: int) -> float:
    """Processor time that a browser's pages have used so far."""
    total = 0.0
    for child in psutil.Process(process).children(recursive=True):
        try:
            if "--type=renderer" in child.cmdline():
                times = child.cpu_times()
                total += times.user + times.system
        except psutil.NoSuchProcess:
            continue  # it ended meanwhile
    return total


@pytest.fixture(scope="module")
def power(tmp_path_factory):
    """The device's power supply; None where this machine can't have one."""
    if power_supply.missing():
        yield None
        return
    supply = power_supply.Power(tmp_path_factory.mktemp("power"))
    yield supply
    supply.close()


@pytest.fixture(scope="module")
def context(playwright, power, tmp_path_factory):
    """The browser's own context; `process` is its first process."""
    profile = tmp_path_factory.mktemp("profile")
    environment = power.environment if power else {}
    watch = Watch()
    with visits.running(profile, NO_NAMES, environment=environment) as (port, process):
        address = f"http://127.0.0.1:{port}"
        browser = playwright.chromium.connect_over_cdp(address, no_defaults=True)
        (context,) = browser.contexts
        context.watch, context.process = watch, process
        watch.context(context)
        yield context
        browser.close()
    assert not watch.problems(), "\n".join(watch.problems())


@pytest.fixture(scope="module")
def url(dist, context):
    with serving(dist) as address:
        context.watch.allow_origin(address)
        yield address


@pytest.fixture(scope="module")
def tab(context):
    return context.new_page()


@pytest.fixture(scope="module")
def levers(context, tab):
    """The tab's DevTools, with the processor's pressure in their hands."""
    session = context.new_cdp_session(tab)
    source = {"source": "cpu", "enabled": True, "metadata": {"available": True}}
    session.send("Emulation.setPressureSourceOverrideEnabled", source)
    yield session
    tab.goto("about:blank")  # Chromium 156 breaks down over an observer that outlives its source
    session.send("Emulation.setPressureSourceOverrideEnabled", source | {"enabled": False})


@pytest.fixture(scope="module")
def page(tab, levers, url, until):
    """Our page with the model, and a photo in it that the tests label."""
    tab.goto(url)
    until(tab, READY)
    visit.label(tab, until)
    tab.evaluate(PHOTO, f"{url}samples/chelsea.jpg")
    return tab


def test_lighter_variants_come_while_the_page_rests(page):
    assert visit.settled(page, HERE, lambda here: set(LITERT) <= set(here))
    answer = strategy(page, "full")
    assert (answer["variant"], answer["resolution"]) == (LITERT[0], 224)
    assert answer["reason"].startswith("Nothing holds this device back: the 224 px model on ")


def test_a_battery_that_runs_low_is_answered_to_within_one_photo_and_its_charging_after_a_while(
    page, power, context, record_property
):
    if power is None:
        pytest.skip(power_supply.missing())
    # On battery, what a switch would need is loaded while the page rests.
    visit.settled(page, SESSIONS, lambda held: sum(held.values()) >= 2)

    def work(times: int = 60) -> float:
        """Processor seconds of a photo."""
        before = processor_seconds(context.process)
        page.evaluate(LABEL, times)
        return (processor_seconds(context.process) - before) / times

    usual = work()
    power.battery(15)
    answers = page.evaluate(LABEL, 1)
    while answers[-1]["resolution"] != 192:
        answers += page.evaluate(LABEL, 5)
    lighter = [answer for answer in answers if answer["resolution"] == 192]
    assert {(answer["variant"], answer["threads"]) for answer in lighter} == {(LITERT[1], 1)}
    assert {answer["index"] for answer in answers} <= visit.LABELS[CAT]
    # On a machine that others make busy there may be rests besides, and a word on why.
    assert {answer["strategy"] for answer in lighter} <= {"lightweight", "throttled"}
    assert lighter[0]["reason"].startswith("Battery at 15 % and not charging")
    assert ": the 192 px model on one thread, 29 % less work per photo" in lighter[0]["reason"]
    less = 1 - work() / usual
    record_property("figure", f"Processor time per photo on a low battery: {less:.0%} less")
    power.battery(60, charging=True)
    back = answer_of(page, lambda answer: answer["resolution"] == 224)
    assert back["variant"] == LITERT[0]
    power.battery(80)


def test_under_pressure_work_gets_rests_and_a_queue_drains_without_loss(
    page, levers, context, record_property
):
    critical = {"source": "cpu", "state": "critical"}
    levers.send("Emulation.setPressureStateOverride", critical)
    # It may have begun to rest for another reason; with this one it is a quarter, and not half.
    answer_of(page, lambda answer: "quarter of one processor core" in answer["reason"])
    began, before = page.evaluate("performance.now()"), processor_seconds(context.process)
    answers = page.evaluate(AT_ONCE, 60)
    seconds = (page.evaluate("performance.now()") - began) / 1000
    share = (processor_seconds(context.process) - before) / seconds
    record_property("figure", f"Under critical pressure: {share:.0%} of one core, of 25 %")
    assert share < 0.4  # `bench adaptive` measures it; half of a core is what less pressure allows
    assert len(answers) == 60
    assert {answer["index"] for answer in answers} <= visit.LABELS[CAT]
    assert {answer["strategy"] for answer in answers} == {"throttled"}
    assert max(answer["batch"] for answer in answers) > 1
    assert "of rest after" in answers[0]["reason"]
    levers.send("Emulation.setPressureStateOverride", {"source": "cpu", "state": "nominal"})


SMALL = 'Object.defineProperty(Navigator.prototype, "deviceMemory", { value: 2 });'


@pytest.mark.heavy
def test_a_small_device_works_lightly_and_after_a_load_that_ended_the_page_takes_a_smaller_variant(
    context, url, until, page
):
    small = context.new_page()
    small.add_init_script(SMALL)
    small.goto(url)
    until(small, READY)
    small.evaluate(PHOTO, f"{url}samples/chelsea.jpg")
    # It takes a while until that is believed; and the machine may be busy besides.
    answer = answer_of(small, lambda answer: "little memory" in answer.get("reason", ""))
    assert answer["variant"] == LITERT[1]
    assert "his device has little memory: the 192 px model on one thread" in answer["reason"]
    # What isn't in use any more goes, once the page rests.
    visit.settled(small, SESSIONS, lambda held: sum(held.values()) == 1)
    visit.begin_a_load(small)
    small.close()  # as if that load had ended it
    after = context.new_page()
    after.goto(url)
    until(after, READY)
    (model,) = visit.call(after, "library")["value"]["models"]
    assert model["variant"]["name"] == LITERT[1]
    assert model["reason"].startswith(
        "“litert-int8-static” ended this page when it was loaded last time, so"
    )
    assert visit.label(after, until, name="after.jpg") in visit.LABELS[CAT]
    after.close()
