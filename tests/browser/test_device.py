"""What the page, and others' pages, know of the device, and what it does about it: a real browser,
moved by real levers.

One browser for all of it, on a battery of the tests' own. Playwright pretends that every page is
looked at; connected like this, it leaves that to the browser.
"""

from __future__ import annotations

import json

import bare_page
import pytest
import visit
from page_photos import CAT, READY, choose, copy_of, result, state

from builder import power as power_supply
from builder.bench import visits
from builder.server import serving
from tests.conftest import NO_NAMES, Watch

TRUE_QUOTA = "--disable-features=StaticStorageQuota"
"""Else Chromium says to every page that it may store 10 GiB more, whatever is true."""

SHOWN = "() => !document.getElementById('device-card').hidden"

PROFILE = """
import json
from dataclasses import asdict
from satchel import DeviceProfile
json.dumps(asdict(await DeviceProfile.read()))
"""

FOLLOW = """
import asyncio, json
from dataclasses import asdict
from satchel import platform
heard = []
leave = platform.current().sensors.listen(heard.append)
while not heard:
    await asyncio.sleep(0)
"""

HEARD = "json.dumps([asdict(profile) for profile in heard])"

UNTIL_HEARD = f"""
async with asyncio.timeout(20):
    while (heard[-1].battery_level, heard[-1].charging) != (%s, %s):
        await asyncio.sleep(0.01)
{HEARD}
"""


def card(key: str, words: str) -> str:
    """JavaScript for `until`: the card says this."""
    return f"() => document.querySelector('[data-reading={key}]')?.innerText === `{words}`"


def settled(page, **wanted: object) -> dict[str, object]:
    """Wait until the engine reads this of the device, and return all that it reads."""
    for _ in range(400):
        profile = visit.python(page, PROFILE)
        if wanted.items() <= profile.items():
            return profile
        page.wait_for_timeout(50)
    raise AssertionError(f"{wanted} was never read, but {profile}")


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
    """The browser's own context."""
    profile = tmp_path_factory.mktemp("profile")
    environment = power.environment if power else {}
    watch = Watch()
    watch.expect("ERR_INTERNET_DISCONNECTED")
    with visits.running(profile, NO_NAMES, TRUE_QUOTA, environment=environment) as (port, _):
        address = f"http://127.0.0.1:{port}"
        browser = playwright.chromium.connect_over_cdp(address, no_defaults=True)
        (context,) = browser.contexts
        context.watch = watch
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
    """Our page, at rest."""
    tab.goto(url + "#device")
    until(tab, READY)
    until(tab, SHOWN)
    return tab


@pytest.fixture
def visitor(context, url, until):
    """Opens our page in one more tab, after a script that stands in for what has no lever."""
    opened = []

    def open_with(script: str) -> object:
        page = context.new_page()
        opened.append(page)
        page.add_init_script(script)
        page.goto(url + "#device")
        until(page, READY)
        until(page, SHOWN)
        return page

    yield open_with
    for page in opened:
        page.close()


def test_the_battery_is_followed(page, power, until):
    if power is None:
        pytest.skip(power_supply.missing())
    until(page, card("power", "80 %, not charging, 20 minutes left"))
    visit.python(page, FOLLOW)
    power.battery(15, minutes=7)
    until(page, card("power", "15 %, not charging, 7 minutes left"))
    visit.python(page, UNTIL_HEARD % (0.15, False))
    power.battery(16, charging=True, minutes=120)
    until(page, card("power", "16 %, charging, full in 2 hours"))
    told = [
        (one["battery_level"], one["charging"])
        for one in visit.python(page, UNTIL_HEARD % (0.16, True))
    ]
    # UPower may tell charge and charging one after the other.
    assert told[0] == (0.8, False)
    assert (0.15, False) in told
    visit.python(page, "leave()")
    power.battery(80)
    profile = settled(page, battery_level=0.8)
    assert profile["battery_powered"]
    assert profile["discharging_time"] == 1200
    assert profile["charging_time"] is None


def test_the_processor_s_pressure_is_followed(page, levers, until):
    for pressure, words in (
        ("nominal", "Calm"), ("critical", "At its limit"), ("serious", "Very busy"),
        ("fair", "Busy"),
    ):  # fmt: skip
        levers.send("Emulation.setPressureStateOverride", {"source": "cpu", "state": pressure})
        until(page, card("load", words))
        assert settled(page, pressure=pressure)


STRATEGY = "document.querySelector('[data-testid=strategy]')"

TOP_OF_LIST = "document.getElementById('results').getBoundingClientRect().top"


def works(strategy: str, begins: str = "") -> str:
    """JavaScript for `until`: this strategy is in force, with a sentence that begins so."""
    return (
        f"() => {STRATEGY}.dataset.strategy === '{strategy}' && !{STRATEGY}.hidden"
        f" && {STRATEGY}.textContent.startsWith(`{begins}`)"
    )


def supposed(strategy: str, begins: str) -> str:
    """JavaScript for `until`: the simulator says this."""
    return (
        f"() => document.getElementById('supposed').dataset.strategy === '{strategy}'"
        f" && document.getElementById('supposed-reason').textContent.startsWith(`{begins}`)"
    )


def view(page, name: str, until) -> None:
    """Go to one of the page's views."""
    page.evaluate("(name) => { location.hash = name }", name)
    until(page, f"() => !document.getElementById('view-{name}').hidden")


def look_at(page, until, *names: str) -> None:
    """Have photos of these names looked at."""
    choose(page, *[copy_of(CAT, name) for name in names])
    for name in names:
        until(page, state(name, "done"))


@pytest.mark.heavy
def test_a_low_battery_makes_the_work_lighter_and_the_page_says_so(page, power, until):
    if power is None:
        pytest.skip(power_supply.missing())
    power.battery(80)
    view(page, "label", until)
    page.set_viewport_size({"width": 390, "height": 844})
    until(page, works("full", "Nothing holds this device back: "))
    look_at(page, until, "charged.jpg")
    until(page, "() => document.querySelector('[data-name=\"charged.jpg\"] canvas')")
    top = page.evaluate(TOP_OF_LIST)
    power.battery(15)
    until(page, works("lightweight", "Battery at 15 % and not charging: "))
    assert page.get_by_test_id("engine-state").inner_text() == "Going easy"
    assert page.evaluate(TOP_OF_LIST) == top
    look_at(page, until, "low.jpg")
    card = result(page, "low.jpg")
    assert card.locator(".made").inner_text().startswith("Going easy · ")
    before = result(page, "charged.jpg").locator(".made").inner_text()
    assert before.startswith("Full effort · 224 px · ")
    # What nobody waits for is put off, and comes when there is more to spare.
    assert (card.locator("canvas").count(), card.locator("progress").count()) == (0, 1)
    power.battery(16, charging=True)
    until(page, works("full"))
    until(page, "() => document.querySelector('[data-name=\"low.jpg\"] canvas')")
    until(page, "() => document.querySelectorAll('[data-name=\"low.jpg\"] progress').length === 5")
    page.set_viewport_size({"width": 1280, "height": 900})
    view(page, "device", until)
    told = page.locator("#efforts li").all_inner_texts()
    assert "Going easy" in told[1]
    assert "Battery at 15 % and not charging" in told[1]
    assert "Full effort" in told[0]
    power.battery(80)


def test_what_a_person_insists_on_wins_over_the_device(page, levers, until):
    until(page, works("full"))
    levers.send("Emulation.setPressureStateOverride", {"source": "cpu", "state": "critical"})
    until(page, works("throttled", "The processor is under critical load: "))
    page.get_by_label("Full effort, whatever the device says").check()
    until(page, works("full", "You want full effort: "))
    page.get_by_label("As little work as possible").check()
    until(page, works("lightweight", "You want as little work as possible: "))
    page.get_by_label("What matters most").select_option("quality")
    page.get_by_label("Follow the device").check()
    until(page, works("throttled", "The processor is under critical load: "))
    look_at(page, until, "hot-1.jpg", "hot-2.jpg", "hot-3.jpg")  # none is lost
    made = result(page, "hot-3.jpg").locator(".made").text_content()
    assert made.startswith("Taking rests · ")
    page.get_by_label("What matters most").select_option("balanced")
    levers.send("Emulation.setPressureStateOverride", {"source": "cpu", "state": "nominal"})


def test_people_can_try_out_what_would_happen_without_anything_happening(page, until):
    view(page, "device", until)
    page.get_by_label("Charging", exact=True).uncheck()
    page.get_by_label("Processor", exact=True).press("Home")
    level = page.get_by_label("Battery", exact=True)
    level.press("Home")
    for _ in range(7):
        level.press("ArrowRight")
    until(page, supposed("lightweight", "Battery at 7 % and not charging: "))
    assert level.get_attribute("aria-valuetext") == "7 %"
    page.get_by_label("Charging", exact=True).check()
    until(page, supposed("full", "Nothing holds this device back: "))
    page.get_by_label("Processor", exact=True).press("End")
    until(page, supposed("throttled", "The processor is under critical load: "))
    page.get_by_label("Processor", exact=True).press("Home")
    page.get_by_label("Memory", exact=True).press("Home")
    until(page, supposed("lightweight", "This device has little memory: "))
    # Neither battery nor memory is low, so nothing else could have made the work lighter.
    assert page.evaluate(f"{STRATEGY}.dataset.strategy") != "lightweight"
    assert page.locator("[name=override]:checked").get_attribute("value") == ""
    page.get_by_role("button", name="As the device is now").click()
    memory = page.evaluate("Math.min(8, navigator.deviceMemory)")
    assert page.locator("#suppose-memory-text").inner_text().startswith(f"{memory} GB")


def test_times_are_drawn_and_said(page, until):
    look_at(page, until, "one.jpg", "two.jpg", "three.jpg")
    view(page, "device", until)
    until(page, "() => !document.getElementById('times-charts').hidden")
    assert "usually" in page.locator("#times-said").inner_text()
    assert page.locator("#times-line polyline").count() == 1
    assert page.locator("#times-bars rect").count() > 0
    rows = page.locator("#times-rows tr").all_inner_texts()
    assert any("224 px" in row for row in rows)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_device_view_can_be_read_by_everyone_and_fits_a_phone(page, findings, until, scheme):
    view(page, "device", until)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    until(page, "() => document.getAnimations().length === 0")
    assert findings(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1280, "height": 900})


def test_the_network_is_followed(page, levers, until):
    levers.send("Network.enable")

    def network(latency: int = 0, *, offline: bool = False) -> None:
        speed = {"downloadThroughput": -1, "uploadThroughput": -1}
        said = {"offline": offline, "latency": latency}
        levers.send("Network.emulateNetworkConditions", speed | said)

    network(1500)
    until(page, card("network", "Slow"))
    assert settled(page, network_quality="slow", online=True)
    levers.send("Emulation.setDataSaverOverride", {"dataSaverEnabled": True})
    network(400)
    until(page, card("network", "Medium, sparing data"))
    assert settled(page, network_quality="medium", save_data=True)
    network(offline=True)
    until(page, card("network", "Offline"))
    assert settled(page, network_quality="offline", online=False)
    levers.send("Emulation.setDataSaverOverride", {"dataSaverEnabled": False})
    network()
    until(page, card("network", "Fast"))
    assert settled(page, network_quality="fast", online=True, save_data=False)


def test_the_room_that_is_left_is_read(page, levers, url):
    before = settled(page)["storage_free"]
    origin = {"origin": url.rstrip("/")}
    levers.send("Storage.overrideQuotaForOrigin", {**origin, "quotaSize": 200_000_000})
    assert 0 < settled(page)["storage_free"] < 200_000_000 < before
    levers.send("Storage.overrideQuotaForOrigin", origin)


def test_the_engine_knows_whether_the_page_is_looked_at(page, context, until):
    page.bring_to_front()
    assert settled(page, visible=True)["isolated"]
    other = context.new_page()
    other.bring_to_front()
    assert settled(page, visible=False)
    other.close()
    assert settled(page, visible=True)


LIES = """
const lie = (name, value) => Object.defineProperty(Navigator.prototype, name, { value });
const battery = new EventTarget();
Object.assign(battery, { level: 3, charging: "yes", chargingTime: -1, dischargingTime: NaN });
lie("hardwareConcurrency", NaN);
lie("deviceMemory", 2); // the truth, elsewhere
lie("getBattery", async () => battery);
lie("connection", Object.assign(new EventTarget(), { effectiveType: "warp", saveData: 1 }));
globalThis.heard = [];
globalThis.flutter = async (times) => {
  const call = satchel.engine.call.bind(satchel.engine);
  satchel.engine.call = (op, args) => {
    if (op === "conditions") heard.push(args[0].level);
    return call(op, args);
  };
  const began = performance.now();
  for (let i = 0; i < times; i++) {
    battery.level = (i % 50) / 100;
    battery.dispatchEvent(new Event("levelchange"));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - began;
};
"""


def test_sensors_that_lie_or_flutter_do_no_harm(visitor, until):
    page = visitor(LIES)
    profile = settled(page)
    said = {"cpu_cores": None, "memory_gib": 2, "battery_level": None, "charging": None,
            "charging_time": None, "discharging_time": None, "battery_powered": None,
            "save_data": None, "metered": None, "network_quality": None}  # fmt: skip
    assert said.items() <= profile.items()
    assert page.locator("[data-reading=power]").inner_text() == "not told by this browser"
    assert page.locator("[data-reading=memory]").inner_text() == "about 2 GB"
    took = page.evaluate("() => flutter(200)")
    until(page, card("power", "49 %"))  # the last one
    assert 2 <= page.evaluate("heard.length") <= took / 250 + 2


FOREIGN = """async ([wheel, code]) => {
  const { loadPyodide } = await import(new URL("pyodide/pyodide.mjs", location.href));
  globalThis.python = await loadPyodide({ packages: ["numpy"] });
  python.unpackArchive(await (await fetch(wheel)).arrayBuffer(), "wheel");
  await python.runPythonAsync(code);
}"""


@pytest.mark.heavy
def test_python_on_the_main_thread_of_a_foreign_page_reads_for_itself(
    context, power, until, tmp_path
):
    bare_page.make(tmp_path / "page")
    (wheel,) = (tmp_path / "page/wheels").glob("satchel-*.whl")
    context.watch.expect("favicon.ico")  # this page has none
    with serving(tmp_path / "page", plain=True) as url:
        context.watch.allow_origin(url)
        page = context.new_page()
        page.goto(url)
        page.bring_to_front()
        source = {"source": "cpu", "enabled": True, "metadata": {"available": False}}
        session = context.new_cdp_session(page)
        session.send("Emulation.setPressureSourceOverrideEnabled", source)
        page.evaluate(FOREIGN, [f"wheels/{wheel.name}", FOLLOW])
        (first,) = json.loads(page.evaluate("(code) => python.runPython(code)", HEARD))
        assert first["cpu_cores"] >= 1
        assert first["visible"]
        assert first["online"]
        assert not first["isolated"]
        assert first["pressure"] is None
        assert first["storage_free"] > 0
        context.set_offline(True)
        until(page, "() => python.runPython('heard[-1].network_quality') === 'offline'")
        context.set_offline(False)
        if power:
            power.battery(33)
            until(page, "() => python.runPython('heard[-1].battery_level') === 0.33")
            power.battery(80)
        page.evaluate("() => python.runPython('leave()')")
        session.send("Emulation.setPressureSourceOverrideEnabled", source | {"enabled": False})
        page.close()
