"""Updates in the built page: what they cost, wrong clocks, expired signatures, full disks."""

from __future__ import annotations

import pytest
import visit
from endings import WHOLE
from home import MODEL, at_home
from page_photos import CATS, READY

from tests.conftest import some

YEARS = 10
CLOCK = """(() => {
  const Real = Date, off = %d * 365.25 * 24 * 3600 * 1000;
  globalThis.Date = class extends Real {
    constructor(...given) { given.length ? super(...given) : super(Real.now() + off); }
    static now() { return Real.now() + off; }
  };
})();
"""
"""JavaScript: sets a thread's clock off by so many years."""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with at_home(tmp_path_factory.mktemp("page")) as host:
        yield host


def whole(page, host) -> dict:
    """Look into the store, without the engine."""
    found = page.evaluate(WHOLE, [MODEL, f"{host.address}truth/models/blobs/"])
    assert not found["problems"], found["problems"]
    return found


def asked(page, op: str, *args: object) -> dict:
    """Ask the engine for an operation that works."""
    answer = visit.call(page, op, *args)
    assert "value" in answer, answer
    return answer["value"]


# ---- what an update costs


def test_of_a_fine_tuned_head_little_more_comes_than_what_differs(
    host, page, watch, until, record_property
):
    watch.allow_origin(host.address)
    page.goto(host.url("delta"))
    until(page, READY)
    host.lead("delta", "new")
    asked(page, "check")
    promised = asked(page, "library")["models"][0]["update"]["fetch"]
    asked(page, "fetch", MODEL)
    assert whole(page, host)["active"] == "1.1.0"
    assert visit.label(page, until) in CATS
    model = host.fetched("delta", host.home.blob)
    beside = host.fetched("delta") - model
    signed = host.fetched("delta", "metadata/") + host.fetched("delta", "manifests/")
    ratio = model / host.home.differ
    record_property(
        "figure",
        f"delta: {model} bytes of the model file for {host.home.differ} that differ ({ratio:.3f}); "
        f"beside it {beside} bytes of chunk index and golden set, {signed} of signed metadata",
    )
    assert ratio <= 1.2
    assert model + beside <= promised + 10_000


def test_the_same_files_under_a_new_version_cost_no_model_bytes(host, page, watch, until):
    watch.allow_origin(host.address)
    page.goto(host.url("same"))
    until(page, READY)
    host.lead("same", "same")
    asked(page, "check")
    asked(page, "fetch", MODEL)
    assert whole(page, host)["active"] == "1.1.0"
    sent = host.front.lanes["same"].sent
    assert not [one for one in sent if host.home.first in one.path]
    assert visit.label(page, until) in CATS


# ---- signatures that have expired, clocks that are wrong


def test_a_first_visit_works_where_the_timestamp_has_expired_and_a_check_says_so(
    host, page, watch, until
):
    watch.allow_origin(host.address)
    page.goto(host.url("expired", "expired"))
    until(page, visit.OFFLINE_READY)
    assert visit.label(page, until) in CATS
    answer = visit.call(page, "check")
    assert answer["error"] == "ExpiredError"
    assert "the timestamp metadata has expired" in answer["message"]
    assert "goes on working" in answer["message"]
    assert asked(page, "library")["check"]["problem"] == answer["message"]
    host.lead("expired", "new")
    asked(page, "check")
    asked(page, "fetch", MODEL)
    assert whole(page, host)["active"] == "1.1.0"


@pytest.mark.parametrize("years", some([YEARS, -YEARS], [YEARS]))
def test_a_first_visit_works_with_the_clock_ten_years_off_and_a_check_says_so(
    years, host, browser, watch, until
):
    watch.allow_origin(host.address)
    watch.expect("reading 'installing'")  # of Playwright's own stand-in for `register`
    lane, shifted = f"clock{years}", CLOCK % years
    # Without a service worker, which would refuse a script that isn't the build's own.
    context = browser.new_context(service_workers="block")
    watch.context(context)
    context.add_init_script(shifted)
    page = context.new_page()
    wrong = {"path": r"assets/engine\.worker", "fault": "prefixed", "text": shifted}
    page.goto(host.url(lane, "old", (wrong,)))
    assert visit.label(page, until) in CATS
    host.lead(lane, "new", wrong)
    answer = visit.call(page, "check")
    year = visit.python(page, "import time; json.dumps(time.gmtime().tm_year)")
    if years > 0:
        assert answer["error"] == "ExpiredError"
        assert f"this device's clock says {year}" in answer["message"]
        assert whole(page, host)["active"] == "1.0.0"
    else:  # signatures hold, by a clock that is behind
        asked(page, "fetch", MODEL)
        assert whole(page, host)["active"] == "1.1.0"
    assert visit.label(page, until, name="later.jpg") in CATS
    context.close()
