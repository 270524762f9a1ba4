"""The fault matrix, in Chromium: whatever went wrong, one version is whole and works, and so on.

`matrix.py` has the cases, `judge.py` what must be true; docs/faults.md shows them. Each case has a
device of its own (a store, a lane of the host's front), so that many are played side by side in one
page.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import bare_page
import chance
import matrix
import pytest
from case import Case
from front import Front
from judge import judged
from published import publish

from builder.server import serving

HERE = Path(__file__).parent

AT_ONCE = 6
"""Cases side by side: most of them wait."""

RUN = 70
"""Cases in one go, which has a time limit (`bare_page.SECONDS`)."""

PREPARE = f"""
import json, micropip, sys
from js import location, URL
from pyodide.code import run_js
from pyodide.http import pyfetch
base = URL.new("./", location.href).href
await micropip.install([base + "wheels/" + name for name in {bare_page.wheels()}])
await micropip.install(f"satchel[updates] @ {{base}}wheels/satchel-0.1.0-py3-none-any.whl")
with open("/home/pyodide/device.py", "w") as file:
    file.write(await (await pyfetch(base + "device.py")).text())
# A clock that can be wrong: all of Python's time of day comes from here.
set_off = run_js('''(() => {{
  let off = 0;
  const Real = Date;
  globalThis.Date = class extends Real {{
    constructor(...given) {{ given.length ? super(...given) : super(Real.now() + off); }}
    static now() {{ return Real.now() + off; }}
  }};
  return (ms) => {{ off = ms; }};
}})()''')
def set_clock(years):
    set_off(years * 365.25 * 24 * 3600 * 1000)
import device, satchel
from satchel import platform as platforms
from satchel.platform.browser import BrowserPlatform
satchel.configure(ort_url=base + "ort/ort.wasm.bundle.min.mjs")
engines = platforms.current().engines
def platform_of(name):
    satchel.configure(scope=name)
    made = BrowserPlatform()
    made.engines = engines  # one inference worker for all that isn't being tried
    made.store, made.locks, made.channel, made.random  # each takes its name from the scope now
    return made
# Hundreds of cases in one page: what a device stored goes when its case ends, or Chromium's room
# for blobs is full after some 1.5 GB.
forget = run_js('''(name) => new Promise((resolve, reject) => {{
  const asked = indexedDB.deleteDatabase(name);
  asked.onsuccess = () => resolve();
  asked.onerror = () => reject(new Error(name + " stays: " + asked.error));
  asked.onblocked = () => reject(new Error(name + " is still open"));
}})''')
"ready" and json.dumps(True)
"""

PLAY = """
given = json.loads(given)
told = await device.play_all(
    given["cases"], given["facts"], given["bases"], platform_of, given["at_once"],
    forget, set_clock if given["alone"] else None,
)
json.dumps(told)
"""


class Theatre:
    """A bare page in Chromium in which cases are played, and a host with a front before it."""

    def __init__(self, page, host, bases: list[str]) -> None:
        self.page, self.host, self.bases = page, host, bases
        bare_page.run(page, PREPARE)

    def play(self, cases: list[Case], at_once: int = AT_ONCE) -> dict[str, dict]:
        """Play cases, those with a wrong clock by themselves."""
        outcomes: list[dict] = []
        for alone in (False, True):
            group = [self.told(case) for case in cases if bool(case.years) == alone]
            for start in range(0, len(group), RUN):
                part = group[start : start + RUN]
                outcomes += self._run(part, 1 if alone else at_once, alone)
        return {outcome["id"]: outcome for outcome in outcomes}

    def told(self, case: Case) -> dict:
        """A case as the device takes it."""
        return case.told({**self.host.names(case.state), "elsewhere": self.bases[-1]})

    def _run(self, cases: list[dict], at_once: int, alone: bool) -> list[dict]:
        given = {
            "cases": cases,
            "facts": self.host.facts(),
            "bases": self.bases[:-1],
            "at_once": at_once,
            "alone": alone,
        }
        return bare_page.run(self.page, f"given = {json.dumps(json.dumps(given))}\n{PLAY}")


@pytest.fixture(scope="module")
def theatre(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("matrix")
    bare_page.make(folder / "page")
    (folder / "page/device.py").write_text((HERE / "device.py").read_text("utf-8"), "utf-8")
    host = publish(folder / "host")
    front = Front()
    # Browsers keep few connections to one host; several hosts, and stalled ones hold up nobody.
    with (
        serving(folder / "page", plain=True) as page_url,
        serving(host.folder, wrap=front) as one,
        serving(host.folder, wrap=front) as two,
        serving(host.folder, wrap=front) as three,
    ):
        page = browser.new_page()
        page.goto(page_url)
        yield Theatre(page, host, [one, two, three])
        page.close()


@pytest.fixture(scope="module")
def outcomes(theatre, request):
    """What happened in each case that this run asks for."""
    wanted = {
        item.callspec.params["case"].id
        for item in request.session.items
        if getattr(item, "module", None) is request.module and hasattr(item, "callspec")
    }
    return theatre.play([case for case in matrix.CASES if case.id in wanted])


def params():
    return [
        pytest.param(case, id=case.id, marks=[pytest.mark.heavy] if case.heavy else [])
        for case in matrix.CASES
    ]


@pytest.mark.parametrize("case", params())
def test_one_version_is_whole_and_the_next_attempt_works(case, outcomes):
    problems = judged(case, outcomes[case.id])
    assert not problems, "\n".join(problems)


SEED = 5
"""Of the cases by chance that every run plays; `--fault-seed N` plays others."""


def test_the_same_holds_for_faults_by_chance(theatre, request):
    given = request.config.getoption("--fault-seed")
    by_chance(theatre, SEED if given is None else given, 12)


@pytest.mark.heavy
def test_the_same_holds_for_many_faults_by_chance(theatre, request):
    given = request.config.getoption("--fault-seed")
    today = datetime.now(UTC).toordinal()
    for turn in range(2):
        by_chance(theatre, (today if given is None else given) + turn * 1_000_000, 60)


def by_chance(theatre, seed: int, count: int) -> None:
    cases = chance.cases(seed, count)
    outcomes = theatre.play(cases)
    wrong = [
        f"{case.id}: {case.what}\n    {problem}"
        for case in cases
        for problem in judged(case, outcomes[case.id])
    ]
    assert not wrong, f"again with --fault-seed {seed}:\n" + "\n".join(wrong)
