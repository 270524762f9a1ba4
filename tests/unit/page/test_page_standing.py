"""What the page says of a model and its update, and what it offers to do about it."""

from __future__ import annotations

from types import SimpleNamespace as Facts

import pytest
import standing

STATES = ["available", "waiting", "downloading", "paused", "verifying", "validating", "failed"]
RUNNING = ["downloading", "verifying", "validating"]


def update(state="available", **more):
    facts = {
        "version": "1.1.0",
        "changelog": "Knows puffins.",
        "mandatory": False,
        "size": 4_900_000,
        "size_text": "4.9 MB",
        "fetch": 4096,
        "fetch_text": "4 kB",
        "state": state,
        "received": 1024,
        "total": 4096,
        "reason": None,
    }
    return Facts(**{**facts, **more})


def model(**more):
    facts = {
        "id": "m",
        "title": "Label",
        "task": "label",
        "bytes_text": "4.9 MB",
        "installed": True,
        "version": "1.0.0",
        "previous": None,
        "pinned": None,
        "size_text": "4.9 MB",
        "update": None,
        "withdrawn": None,
        "set_aside": [],
        "variant": Facts(name="int8", engine="litert", engine_title="LiteRT"),
        "reason": "",
    }
    return Facts(**{**facts, **more})


def check(**more):
    return Facts(**{"running": False, "problem": None, "development": False, **more})


def names(actions):
    return [action for action, _, _ in actions]


def texts(actions):
    return [text for _, text, _ in actions]


def test_what_there_is_to_fetch_is_said_beside_the_whole():
    assert standing.figures(update()) == "4 kB of 4.9 MB to fetch"
    assert "Nothing to fetch" in standing.figures(update(fetch=0))


@pytest.mark.parametrize("state", ["downloading", "paused"])
def test_progress_is_what_came_of_what_is_to_come(state):
    assert standing.figures(update(state)) == "1.0 kB of 4.1 kB fetched"
    assert standing.share(update(state)) == 25


def test_a_download_of_nothing_has_no_share_to_count():
    assert standing.share(update("downloading", received=0, total=0)) == 0


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_words_and_names_its_version(state):
    assert "1.1.0" in standing.heading(update(state))
    assert standing.strip(update(state)).startswith("Updat")


@pytest.mark.parametrize("state", STATES)
def test_whatever_is_not_under_way_can_be_begun(state):
    offered = names(standing.update_actions(update(state), ours=True))
    assert ("update" in offered) == (state not in RUNNING)
    assert ("pause" in offered) == (state in RUNNING)


@pytest.mark.parametrize("state", RUNNING)
def test_what_another_tab_began_is_not_ours_to_stop(state):
    assert standing.update_actions(update(state), ours=False) == []


@pytest.mark.parametrize("state", RUNNING)
def test_while_an_update_is_under_way_the_page_says_who_answers(state):
    said = " ".join(standing.explain(model(update=update(state))))
    assert "Meanwhile 1.0.0 goes on answering." in said


@pytest.mark.parametrize("state", ["waiting", "failed", "paused"])
def test_the_reason_is_passed_on_as_it_is(state):
    reason = "The host answered 503. Label 1.0.0 is still running."
    assert reason in standing.explain(model(update=update(state, reason=reason)))


def test_a_needed_update_is_told_as_such():
    assert "asks everybody" in standing.explain(model(update=update(mandatory=True)))[-1]


def test_going_back_is_offered_where_there_is_something_to_go_back_to():
    assert "rollback" not in names(standing.actions(model(), first=True))
    assert "Go back to 0.9.0" in texts(standing.actions(model(previous="0.9.0"), first=True))


def test_who_went_back_can_take_the_newer_version_again():
    aside = [Facts(version=version, reason="You went back.") for version in ("1.1.0", "1.2.0")]
    back = model(previous="1.1.0", set_aside=aside)
    assert "Take 1.1.0 again" in texts(standing.actions(back, first=True))
    assert [(version, can) for version, _, can in standing.refused(back)] == [
        ("1.1.0", False),  # it is here
        ("1.2.0", True),
    ]
    forward = model(version="1.10.0", previous="1.9.0", set_aside=[Facts(version="1.9.0")])
    assert "Go back to 1.9.0" in texts(standing.actions(forward, first=True))
    assert standing.refused(forward) == []


def test_a_failed_update_says_that_the_old_version_runs():
    assert "Version 1.0.0 is still running." in standing.explain(model(update=update("failed")))


def test_who_wants_a_version_to_stay_hears_no_offers():
    pinned = model(pinned="1.0.0", update=update())
    assert standing.headline([pinned]) is None
    assert standing.news([pinned], False) == []
    coming = model(pinned="1.0.0", update=update("downloading"))
    assert standing.headline([coming]) is coming


def test_a_model_stays_or_follows_but_never_offers_both():
    assert "Stay at 1.0.0" in texts(standing.actions(model(), first=True))
    pinned = texts(standing.actions(model(pinned="1.0.0"), first=True))
    assert "Follow updates again" in pinned
    assert not any(text.startswith("Stay") for text in pinned)
    assert "stays at 1.0.0" in standing.summary(model(pinned="1.0.0"))


def test_a_model_that_is_not_here_can_only_be_fetched():
    gone = model(installed=False, version=None)
    assert texts(standing.actions(gone, first=False)) == ["Fetch 4.9 MB"]
    assert standing.actions(gone, first=True) == []  # the page's own panel offers it
    assert "not on this device, 4.9 MB to fetch" in standing.summary(gone)


def test_what_a_model_runs_in_is_said_with_the_reason():
    assert "runs in LiteRT" in standing.summary(model())
    why = "This browser lacks relaxed SIMD, so the model runs in ONNX Runtime instead of LiteRT."
    other = Facts(name="int8", engine="onnxruntime", engine_title="ONNX Runtime")
    gone = model(installed=False, version=None, variant=None)
    said = standing.runs_in([model(), model(title="Compare", variant=other, reason=why), gone])
    assert said == ["Label runs in LiteRT.", "Compare runs in ONNX Runtime.", why]


def test_deleting_asks_and_says_what_it_costs():
    first, other = (standing.question(model(), first=first) for first in (True, False))
    assert "This page needs it" in first
    assert "This page needs it" not in other
    assert "4.9 MB" in first
    assert "4.9 MB" in other


def test_the_strip_tells_of_what_is_under_way_before_what_could_be():
    ready, coming, failed = (
        model(id=state, update=update(state)) for state in ("available", "downloading", "failed")
    )
    assert standing.headline([ready, failed, coming]) is coming
    assert standing.headline([ready, failed]) is failed
    assert standing.headline([model()]) is None
    assert standing.headline([]) is None


def test_an_update_that_is_ready_is_news_until_it_is_taken():
    ((whose, about, kind, text, button),) = standing.news([model(update=update())], False)
    assert (whose, kind, button) == ("m", "info", "See what is new")
    assert text == "Label 1.1.0 is ready: 4 kB to fetch."
    assert standing.news([model(update=update("paused"))], False) == []
    (later,) = standing.news([model(update=update(version="1.2.0"))], False)
    assert later[1] != about


def test_a_needed_update_is_asked_for_where_it_may_cost():
    needed = [model(update=update(mandatory=True))]
    ((_, about, _, text, button),) = standing.news(needed, True)
    assert about == "ask 1.1.0"
    assert "may cost you" in text
    assert button == "Fetch 4 kB"
    ((_, about, _, _, _),) = standing.news(needed, False)
    assert about == "ready 1.1.0"


def test_a_needed_update_under_way_says_who_answers():
    needed = [model(update=update("downloading", mandatory=True))]
    ((_, _, _, text, button),) = standing.news(needed, False)
    assert "1.0.0 goes on answering" in text
    assert button == ""


def test_a_withdrawn_version_is_told_before_its_update():
    gone = model(withdrawn="Label 1.0.0 was withdrawn.", update=update())
    ((_, _, kind, text, _),) = standing.news([gone], False)
    assert (kind, text) == ("bad", "Label 1.0.0 was withdrawn.")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("1.0.0", "1.1.0", "1.0.0 → 1.1.0"),
        (None, "1.0.0", "1.0.0"),
        ("1.0.0", None, "1.0.0"),
        ("1.0.0", "1.0.0", "1.0.0"),  # an update failed
        (None, None, ""),
    ],
)
def test_an_entry_of_the_history_names_its_versions_once(before, after, words):
    assert standing.versions(Facts(**{"from": before, "to": after})) == words


@pytest.mark.parametrize(
    ("before", "after", "text", "words"),
    [
        (None, "1.0.0", "", "Label 1.0.0: installed."),
        ("1.0.0", None, "", "Label 1.0.0: installed."),
        ("1.1.0", "1.0.0", "It broke.", "Label: It broke. Version 1.0.0 is running now."),
        ("1.0.0", "1.0.0", "It broke.", "Label: It broke."),
    ],
)
def test_an_entry_of_the_history_is_told_in_whole_sentences(before, after, text, words):
    entry = Facts(**{"from": before, "to": after, "text": text, "outcome": "installed"})
    assert standing.spoken(entry, "Label") == words


@pytest.mark.parametrize(
    ("facts", "ago", "online", "waiting", "words"),
    [
        (check(), "", True, 0, "Nobody has looked"),
        (check(), "2 hours ago", True, 0, "Looked 2 hours ago: everything here is up to date."),
        (check(), "just now", True, 1, "Looked just now: there is something new."),
        (check(), "yesterday", False, 0, "offline"),
        (check(running=True), "yesterday", True, 0, "Looking for new versions"),
        (check(problem="The list is too old."), "yesterday", True, 0, "The list is too old."),
    ],
)
def test_looking_for_new_versions_is_told_in_one_sentence(facts, ago, online, waiting, words):
    text, tone = standing.looked(facts, ago, online, waiting)
    assert words in text
    assert (tone == "warn") == bool(facts.problem)
