"""Charts' axes and places: values lie where they belong, marks are round, labels stay apart."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel_models.report import charts, drawing


@given(st.lists(st.floats(1e-3, 1e5), min_size=1))
def test_an_axis_reaches_from_nothing_to_beyond_every_value(values):
    axis = drawing.linear("ms", values)
    assert axis.place(0) == 0
    assert all(0 < axis.place(value) <= 1 for value in values)
    assert 2 <= len(axis.marks) <= 11


@given(st.lists(st.floats(-100, 100), min_size=1), st.sampled_from([0.1, 0.5, 1.0]))
def test_a_stretched_axis_keeps_the_order_and_shows_nothing_and_the_budget(values, around):
    axis = drawing.stretched("points", values, around)
    places = [axis.place(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)
    assert 0 < axis.place(-around) < axis.place(0) < 1
    marks = [axis.place(value) for value, _ in axis.marks]
    assert all(after - before > 0.08 for before, after in itertools.pairwise(marks))
    assert 0.0 in [value for value, _ in axis.marks]


def test_small_losses_get_most_of_a_stretched_axis():
    axis = drawing.stretched("points", [-12.0, 0.1], 0.5)
    assert axis.place(0) - axis.place(-1) > axis.place(-10) - axis.place(-12)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1))
def test_the_front_is_what_nothing_beats(places):
    best = drawing.front(places)
    for x, y in places:
        beaten = any(a <= x and b <= y and (a, b) != (x, y) for a, b in places)
        assert ((x, y) in best) != beaten


def test_a_staircase_goes_along_and_then_down():
    assert drawing.staircase([(1, 5), (2, 3)]) == [(1, 5), (2, 5), (2, 3)]
    assert drawing.staircase([]) == []


def test_labels_of_dots_on_one_spot_lie_apart():
    places = drawing.label_places([(100.0, 100.0)] * 8, (15, 13), (380, 256))
    for one, other in itertools.combinations(places, 2):
        assert abs(one[0] - other[0]) >= 15 or abs(one[1] - other[1]) >= 13


def test_labels_stay_inside_the_drawing():
    corners = [(0.0, 0.0), (380.0, 0.0), (0.0, 256.0), (380.0, 256.0)]
    for x, y in drawing.label_places(corners, (15, 13), (380, 256)):
        assert 7 <= x <= 373
        assert 6 <= y <= 250


def test_one_stalled_inference_does_not_squeeze_a_strip():
    usual = [10.0 + number / 10 for number in range(40)]
    assert charts.strip_end([usual, [*usual, 900.0]]) < 25
    assert "beyond" in charts.strip([*usual, 900.0], 20.0, "")


@pytest.mark.parametrize("values", [[], [0.0], [0.0, 0.0]])
def test_strips_of_nothing_are_drawn(values):
    assert charts.strip_end([values]) > 0
    assert charts.strip(values, 1.0, "").startswith("<svg")
