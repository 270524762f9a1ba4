"""Which models go when another one needs their memory."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from satchel.adaptive import Option
from satchel.adaptive.memory import IDLE, Loaded, Refused, Released, idle, room
from satchel.footprints import FOOTPRINT

MB = 10**6
WANTED = Option("float32", "onnxruntime", 224, 18 * MB, 60 * MB)
SMALLER = Option("int8", "onnxruntime", 224, 5 * MB, 40 * MB)
SMALLEST = replace(WANTED, resolution=160, memory=30 * MB)
OLD, MIDDLE, NEW = (
    Loaded(name, 30 * MB, used) for name, used in (("old", 1.0), ("middle", 2.0), ("new", 3.0))
)
LOADED = (NEW, OLD, MIDDLE)


def made(budget, loaded=LOADED, wanted=WANTED, options=()):
    return room(wanted, loaded, budget, name="Photos", options=options)


def test_nothing_goes_where_there_is_room_or_no_limit_is_known():
    assert made(150 * MB) == Released(())
    assert made(None) == Released(())


def test_the_least_recently_used_go_and_no_more_than_needed():
    assert made(149 * MB) == Released((OLD,))
    assert made(120 * MB) == Released((OLD,))
    assert made(119 * MB) == Released((OLD, MIDDLE))
    assert made(60 * MB) == Released((OLD, MIDDLE, NEW))


def test_what_runs_stays():
    busy = (replace(OLD, busy=True), MIDDLE, NEW)
    assert made(120 * MB, busy) == Released((MIDDLE,))


def test_a_small_one_stays_where_a_large_one_has_to_go_anyway():
    small = Loaded("small", 1 * MB, 0.5)
    large = Loaded("large", 80 * MB, 5.0)
    assert made(100 * MB, (small, large)) == Released((large,))


def test_what_cannot_fit_is_refused_with_figures_and_a_smaller_variant_is_offered():
    refused = made(50 * MB, options=(WANTED, SMALLER, SMALLEST))
    assert refused == Refused(
        what="'Photos' does not fit into this device's memory",
        why="It takes 60 MB, and models may take 50 MB here",
        todo="Use the model's variant int8 instead: it takes 40 MB",
        smaller=SMALLER,
    )
    refused = made(35 * MB, options=(WANTED, SMALLER, SMALLEST))
    assert refused.smaller == SMALLEST
    assert refused.todo == "Use the 160 px model instead: it takes 30 MB"


def test_what_is_not_here_or_broke_the_page_down_is_not_offered():
    away = replace(SMALLER, available=False)
    crashed = replace(SMALLER, crashed=True)
    assert made(50 * MB, options=(away, crashed)).smaller is None


def test_what_runs_is_in_the_figures():
    refused = made(80 * MB, (replace(OLD, busy=True),))
    assert (
        refused.why == "It takes 60 MB, and models may take 80 MB here, of which 30 MB are in use"
    )
    assert refused.todo == "Try again when what runs now has ended"
    assert made(20 * MB).todo.startswith("Close other pages")


def test_an_estimate_is_called_one():
    refused = made(10 * MB, wanted=replace(WANTED, memory=None, resolution=None))
    assert refused.why.startswith(f"It takes about {18 * FOOTPRINT} MB")


def test_a_worker_ends_when_all_of_its_models_have_rested():
    assert not idle((), 1e6)
    assert not idle((OLD, NEW), NEW.used + IDLE - 1)
    assert idle((OLD, NEW), NEW.used + IDLE)
    assert not idle((OLD, replace(NEW, busy=True)), 1e6)


sessions = st.lists(
    st.builds(Loaded, st.text(max_size=3), st.integers(0, 100), st.floats(0, 9), st.booleans()),
    max_size=8,
)


@given(sessions, st.integers(0, 400), st.integers(1, 100))
def test_whatever_is_loaded_the_answer_fits_and_nothing_that_runs_goes(loaded, budget, size):
    answer = room(Option("a", "litert", None, 1, size), loaded, budget, name="A")
    if isinstance(answer, Refused):
        assert size + sum(session.memory for session in loaded if session.busy) > budget
        return
    assert not any(session.busy for session in answer.sessions)
    left = sum(session.memory for session in loaded)
    left -= sum(session.memory for session in answer.sessions)
    assert left + size <= budget or not answer.sessions
    for spared in answer.sessions:
        assert left + spared.memory + size > budget
