"""Requests that wait."""

from hypothesis import given
from hypothesis import strategies as st

from satchel.adaptive.queue import Queue


def test_requests_are_served_in_their_order():
    queue = Queue()
    for item in "abc":
        queue.add(item, 0.0)
    assert queue.take(2) == ["a", "b"]
    assert queue.take(2) == ["c"]
    assert queue.take(2) == []


def test_a_full_queue_turns_requests_away_and_takes_them_again_once_there_is_room():
    queue = Queue(capacity=2)
    assert queue.add("a", 0.0).accepted
    assert not queue.full
    assert queue.add("b", 0.0).accepted
    assert queue.full
    assert not queue.add("c", 0.0).accepted
    assert queue.take(1) == ["a"]
    assert queue.add("c", 0.0).accepted
    assert queue.take(9) == ["b", "c"]


def test_a_newer_frame_takes_the_older_ones_place_even_when_the_queue_is_full():
    queue = Queue(capacity=2)
    queue.add("frame 1", 0.0, key="camera")
    queue.add("photo", 0.1)
    added = queue.add("frame 2", 0.2, key="camera")
    assert added.accepted
    assert added.replaced == "frame 1"
    assert queue.waited(0.5) == 0.5
    assert queue.take(9) == ["frame 2", "photo"]
    assert queue.add("frame 3", 0.3, key="camera").replaced is None


def test_two_cameras_do_not_replace_each_other():
    queue = Queue()
    assert queue.add("left", 0.0, key=1).replaced is None
    assert queue.add("right", 0.0, key=2).replaced is None
    assert queue.add("again", 0.0).replaced is None
    assert queue.add("once more", 0.0).replaced is None
    assert len(queue) == 4


def test_a_batch_runs_when_it_is_complete_or_when_the_first_deadline_comes():
    queue = Queue(patience=0.5)
    assert queue.ready(3) is None
    queue.add("a", 1.0)
    assert queue.ready(3) == 1.5
    queue.add("hurried", 1.1, within=0.1)
    assert queue.ready(3) == 1.1 + 0.1
    queue.add("c", 1.15)
    assert queue.ready(3) == 0.0
    assert queue.ready(4) == 1.1 + 0.1


def test_no_request_waits_longer_than_the_queue_has_patience_for():
    queue = Queue(patience=0.5)
    queue.add("a", 1.0, within=60)
    assert queue.ready(2) == 1.5
    queue.add("frame", 1.1, key="camera")
    queue.add("newer frame", 1.4, key="camera")
    assert Queue.take(queue, 1) == ["a"]
    assert queue.ready(2) == 1.1 + 0.5


def test_what_nobody_needs_any_more_is_taken_out():
    queue, item = Queue(), object()
    queue.add(item, 0.0)
    queue.add("b", 0.0)
    assert queue.drop(item)
    assert not queue.drop(item)
    assert queue.take(9) == ["b"]
    assert queue.waited(9.0) == 0.0


@given(
    st.lists(st.tuples(st.sampled_from(["add", "take"]), st.sampled_from([None, 1, 2]),
                       st.integers(-1, 5))),
    st.integers(1, 6),
)  # fmt: skip
def test_nothing_is_lost_or_served_twice_and_no_more_wait_than_may(steps, capacity):
    queue, asked, ended = Queue(capacity), [], []
    for number, (what, key, size) in enumerate(steps):
        if what == "add":
            added = queue.add(number, float(number), key=key)
            if added.accepted:
                asked.append(number)
            if added.replaced is not None:
                ended.append(added.replaced)
        else:
            taken = queue.take(size)
            assert len(taken) <= max(size, 1)
            ended += taken
        assert len(queue) <= capacity
    ended += queue.take(capacity)
    assert sorted(ended) == asked
    assert len(queue) == 0
