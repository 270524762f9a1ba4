"""Tab or browser end in the middle of something: the next start is as if nothing had been."""

from __future__ import annotations

import contextlib

import psutil
import pytest
import visit
from page_photos import CATS, READY

from builder.server import serving
from tests.conftest import some

BLOB = "/models/blobs/"


@pytest.fixture
def host(dist, network, watch):
    with serving(dist, wrap=network) as url:
        watch.allow_origin(url)
        yield url


def kill(profile_folder) -> None:
    """End the browser that runs on this profile, and all its processes, with signal 9."""
    mine = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if any(str(profile_folder) in word for word in process.cmdline()):
                mine += [process, *process.children(recursive=True)]
    assert mine
    for process in mine:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(mine, timeout=10)


@pytest.fixture
def killed(profile, tmp_path):
    """Runs a visit that ends with the death of the browser."""

    def run(story) -> None:
        from playwright.sync_api import Error

        def live_and_die() -> None:
            with profile() as context:
                story(context.new_page())
                kill(tmp_path / "profile")
                context.new_page()

        with pytest.raises(Error, match="closed"):
            live_and_die()

    return run


def stalled(page, network) -> None:
    """Wait until the browser waits for the rest of a file."""
    for _ in range(1200):
        if network.stalled:
            return
        page.wait_for_timeout(50)
    raise AssertionError("nothing was asked for")


def complete(profile, host, until) -> None:
    """Come again on the same profile: everything gets here, and it works."""
    with profile() as context:
        page = context.new_page()
        page.goto(host)
        assert visit.label(page, until) in CATS
        until(page, visit.OFFLINE_READY)
        assert visit.stored_the_model(page)


@pytest.mark.parametrize(
    "where", some([BLOB, "/runtime/snapshot-"], [BLOB]), ids=["model", "python"]
)
def test_killed_in_the_middle_of_a_download(host, network, killed, profile, until, where):
    def story(page):
        page.goto(host)
        stalled(page, network)

    with network.fault(where, type(network).stall):
        killed(story)
    complete(profile, host, until)


@pytest.mark.heavy
def test_killed_while_the_service_worker_collects_the_page(host, network, killed, profile, until):
    def story(page):
        page.goto(host)
        until(page, READY)
        stalled(page, network)

    with network.fault("/icons/icon-512", type(network).stall):
        killed(story)
    complete(profile, host, until)


@pytest.mark.heavy
def test_killed_at_the_moment_when_the_model_is_stored(host, killed, profile, until):
    def story(page):
        page.goto(host)
        until(page, READY)
        assert "value" in visit.call(page, "remove", visit.MODEL)
        page.evaluate(
            """(model) => {
              const onProgress = ({ percent }) => { globalThis.all = percent === 100; };
              satchel.engine.call("install", [model], { onProgress });
            }""",
            visit.MODEL,
        )
        until(page, "() => globalThis.all")

    killed(story)
    complete(profile, host, until)


def test_when_the_tab_that_downloads_is_closed_the_other_one_goes_on(context, host, network, until):
    with network.fault(BLOB, type(network).stall_first):
        first = context.new_page()
        first.goto(host)
        stalled(first, network)
        second = context.new_page()
        second.goto(host)
        until(second, "() => document.getElementById('model-version').dataset.state === 'none'")
        first.close()
        assert visit.label(second, until) in CATS
