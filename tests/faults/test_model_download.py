"""Whatever the network does to a model, nothing of it stays, and trying again is enough."""

from __future__ import annotations

import pytest
import visit
from page_photos import CATS, READY

from builder.server import serving

BLOB = "/models/blobs/"
FAULTS = [
    (BLOB, "cut", "NetworkError", "Check the connection"),
    (BLOB, "cut_without_length", "NetworkError", "Check the connection"),
    (BLOB, "end_early", "IntegrityError", "bytes came"),
    (BLOB, "flip", "IntegrityError", "SHA-256"),
    (BLOB, "empty", "IntegrityError", "only 0 of"),
    (BLOB, "missing", "NetworkError", "404"),
    (BLOB, "broken", "NetworkError", "500"),
    ("/models/manifests/", "flip", "IntegrityError", "SHA-256"),
    ("/models/manifests/", "end_early", "IntegrityError", "bytes came"),
    ("/models/manifests/", "missing", "NetworkError", "404"),
]


@pytest.fixture(scope="module")
def opened(dist, browser, network, until):
    """The page, whose engine is ready and whose model was removed."""
    # With all headers: a browser may keep what it got for a year, spoilt or not.
    with serving(dist, wrap=network) as url, visit.watched(browser, url) as context:
        context.watch.expect("Failed to load resource")
        page = context.new_page()
        page.goto(url)
        until(page, READY)
        yield page


@pytest.mark.parametrize(("where", "how", "error", "words"), FAULTS)
def test_a_spoilt_download_is_told_leaves_nothing_and_can_be_tried_again(
    opened, network, where, how, error, words
):
    visit.call(opened, "remove", visit.MODEL)
    with network.fault(where, getattr(type(network), how)):
        answer = visit.call(opened, "install", visit.MODEL)
    assert answer.get("error") == error, answer
    assert words in answer["message"]
    assert visit.stored(opened) == {"models": 0, "blobs": 0}
    assert not visit.installed(opened)
    assert "value" in visit.call(opened, "install", visit.MODEL)


def test_what_a_host_adds_to_a_file_is_left_out(opened, network):
    visit.call(opened, "remove", visit.MODEL)
    with network.fault(BLOB, type(network).append):
        assert "value" in visit.call(opened, "install", visit.MODEL)


def test_after_all_that_photos_are_labelled_as_ever(opened, until):
    assert visit.label(opened, until) in CATS


def test_a_failed_install_leaves_the_installed_model_alone(opened, network, until):
    with network.fault(BLOB, type(network).missing):
        assert "value" in visit.call(opened, "install", visit.MODEL)
        assert visit.label(opened, until, name="still.jpg") in CATS
