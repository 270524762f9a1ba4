"""The page's pure Python (app/ui), which MicroPython runs, held to its promises on CPython."""

from __future__ import annotations

import csv
import importlib.util
import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

UI = Path(__file__).resolve().parents[3] / "app" / "ui"


def load(name):
    spec = importlib.util.spec_from_file_location(f"page_{name}", UI / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


export, photos, shapes, texts, words = (
    load(name) for name in ("export", "photos", "shapes", "texts", "words")
)


def photo(name="harbour.jpg", label="pier", state="done"):
    one = photos.Photos().add(None, name)
    one.state, one.ms, one.model = state, 28.04, {"id": "m", "version": "1.0.0"}
    one.predictions = [(718, label, 0.81234567), (460, "breakwater", 0.09)]
    return one


def table(*all_photos):
    return list(csv.reader(io.StringIO(export.csv_text(all_photos), newline=""), strict=True))


def test_the_table_has_a_row_for_each_label():
    assert table(photo()) == [
        ["file", "rank", "index", "label", "score", "ms"],
        ["harbour.jpg", "1", "718", "pier", "0.812346", "28.0"],
        ["harbour.jpg", "2", "460", "breakwater", "0.090000", "28.0"],
    ]


def test_the_table_leaves_out_what_has_no_labels():
    assert len(table(photo(state="failed"), photo(state="cancelled"))) == 1


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_name_survives_the_table(name):
    (_, first, _) = table(photo(name))
    assert first[0].removeprefix("'") == name.removeprefix("'")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_is_never_a_formula(start):
    (_, first, _) = table(photo(start + "cmd()", label=start + "1"))
    assert first[0] == "'" + start + "cmd()"
    assert first[3] == "'" + start + "1"


def test_lines_of_the_table_end_as_rfc_4180_says():
    assert export.csv_text([photo()]).count("\r\n") == 3


def test_json_tells_why_a_photo_has_no_labels():
    failed = photo("a.heic", state="failed")
    failed.reason = "This is a HEIC photo."
    value = export.json_value([photo(), failed], "Satchel 0.1.0")
    assert [result["state"] for result in value["results"]] == ["done", "failed"]
    assert value["results"][0]["predictions"][0]["label"] == "pier"
    assert value["results"][1]["reason"] == "This is a HEIC photo."


def test_json_tells_which_decision_made_the_labels():
    made = photo()
    made.made = SimpleNamespace(
        strategy="lightweight",
        variant="int8@192",
        resolution=192,
        threads=1,
        reason="Why.",
        batch=1,
    )
    results = export.json_value([made, photo()], "Satchel 0.1.0")["results"]
    assert dict(results[0]["made"]) == {
        "strategy": "lightweight", "variant": "int8@192", "resolution": 192, "threads": 1,
        "reason": "Why.",
    }  # fmt: skip
    assert "made" not in results[1]


def test_photos_get_their_turn_in_the_order_they_came():
    queue = photos.Photos()
    first, second = queue.add(None, "a"), queue.add(None, "b")
    assert queue.next() == [first]
    assert queue.next(8) == [first, second]
    first.state = "done"
    assert queue.next() == [second]


def test_a_cancelled_photo_loses_its_turn_until_it_is_wanted_again():
    queue = photos.Photos()
    one = queue.add(None, "a")
    assert queue.cancel(one)
    assert queue.next() == []
    assert queue.retry(one)
    assert queue.next() == [one]


def test_cancelling_stops_what_is_being_looked_at_once():
    queue, stopped = photos.Photos(), []
    one = queue.add(None, "a")
    one.state, one.stop = "looking", lambda: stopped.append(1)
    assert queue.cancel(one)
    assert not queue.cancel(one)
    assert stopped == [1]


def test_a_photo_that_is_done_is_neither_cancelled_nor_tried_again():
    queue = photos.Photos()
    one = queue.add(None, "a")
    one.state = "done"
    assert not queue.cancel(one)
    assert not queue.retry(one)


def test_clearing_stops_everything():
    queue, stopped = photos.Photos(), []
    one = queue.add(None, "a")
    one.state, one.stop = "looking", lambda: stopped.append(1)
    queue.clear()
    assert (queue.all, stopped) == ([], [1])


@pytest.mark.parametrize(("values", "middle"), [([3], 3), ([9, 1, 5], 5), ([4, 1, 2, 9], 3)])
def test_the_median_is_the_middle(values, middle):
    assert photos.median(values) == middle


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (4_900_000, "4.9 MB"),
        (34_512_345, "34.5 MB"),
        (149_960_000, "150 MB"),
        (61_000_000_000, "61.0 GB"),
    ],
)
def test_sizes_read_as_people_say_them(n, text):
    assert words.size(n) == text


@pytest.mark.parametrize(
    ("ms", "text"), [(0.42, "0.4 ms"), (28.4, "28 ms"), (999.6, "1.0 s"), (1432, "1.4 s")]
)
def test_durations_read_as_people_say_them(ms, text):
    assert words.duration(ms) == text


@pytest.mark.parametrize(
    ("score", "text"),
    [(0.812, "81 %"), (0.004, "< 1 %"), (0.9999, "> 99 %"), (1.0, "100 %"), (0.995, "> 99 %")],
)
def test_no_share_is_rounded_to_all_or_nothing(score, text):
    assert words.percent(score) == text


@pytest.mark.parametrize("kind", ["heic", "pdf", "text", "empty", "folder", "jpeg", "unreadable"])
def test_every_file_that_is_no_photo_gets_a_reason_and_a_way_on(kind):
    reason = words.why_not(kind, "")
    assert reason.count(". ") >= 1
    assert reason.endswith(".")


def test_what_the_engine_says_is_passed_on():
    assert words.why_not("", "It is too large. Make it smaller.").startswith("It is too large")


def test_each_line_that_holds_something_is_a_text():
    assert texts.lines(" a b \r\n\n\tc\rd\n") == ["a b", "c", "d"]
    assert texts.lines(" \n") == []


def test_the_chosen_text_comes_first_and_the_others_by_likeness():
    assert texts.order([0.2, 1.0, -0.3, 0.9], 1) == [1, 3, 0, 2]
    assert texts.order([0.2, 1.0, 1.0], 2) == [2, 1, 0]


@pytest.mark.parametrize(
    ("score", "text"), [(1, "1.00"), (0.565, "0.56"), (-0.084, "\u22120.08"), (-0.001, "0.00")]
)
def test_likeness_is_said_in_two_digits(score, text):
    assert texts.score_text(score) == text


class Input:
    def __init__(self, *dynamic):
        self.axes = list(dynamic)


def test_a_dynamic_axis_is_asked_for_once():
    assert shapes.axes([Input("batch", "length"), Input("batch"), Input()]) == ["batch", "length"]


def test_sizes_are_whole_numbers_or_it_is_said_which_is_none():
    assert shapes.sizes_of([("batch", "2"), ("length", " 64 ")]) == (
        {"batch": 2, "length": 64},
        None,
    )
    for text in ("", "two", "1.5", "0", "-1"):
        assert shapes.sizes_of([("batch", "2"), ("length", text)]) == (None, "length")


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ([], "0"),
        (["3"], "[0, 0, 0]"),
        (["batch", "2"], "[[0, 0]]"),
        (["2", "1", "2"], "[[[0, 0]], [[0, 0]]]"),
        (["1", "3", "224", "224"], "[[[[0, 0, …]]]]"),
    ],
)
def test_an_example_shows_how_lists_lie_in_lists(shape, text):
    assert shapes.example(shape) == text


def test_a_file_goes_to_the_input_that_it_is_called_like():
    assert shapes.belongs("mask.npy", ["ids", "mask"]) == [1]
    assert shapes.belongs("all.NPZ", ["ids", "mask"]) == [0, 1]
    assert shapes.belongs("photo.json", ["x"]) == [0]
    assert shapes.belongs("photo.json", ["ids", "mask"]) == []


def test_what_is_not_shown_is_counted():
    assert shapes.more(8, 8) == ""
    assert shapes.more(1000, 8) == "… and 992 more"
