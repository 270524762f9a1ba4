"""What the tensors panel reads and tells, on any Python."""

import importlib.util
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from satchel.errors import InputError, InputTypeError
from satchel.tensors import TensorSpec

PATH = Path(__file__).resolve().parents[3] / "app" / "tensorpanel.py"
found = importlib.util.spec_from_file_location("tensorpanel", PATH)
panel = importlib.util.module_from_spec(found)
found.loader.exec_module(panel)


def spec(dtype=np.float32, shape=("batch", 2)):
    return TensorSpec("x", np.dtype(dtype), shape)


def read(text, what=None):
    return panel.read(what or spec(), 0, {"how": "json", "text": text}, [])


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def from_file(content, what=None):
    return panel.read(what or spec(), 0, {"how": "file", "file": 0}, [content])


def test_json_becomes_what_the_model_takes():
    np.testing.assert_array_equal(read("[[1, 2.5]]"), np.array([[1, 2.5]], np.float32))
    assert read("[true, false]", spec(np.bool_, (2,))).tolist() == [True, False]
    assert read("7", spec(np.int64, ())).tolist() == 7
    assert read('["a", "bc"]', spec(object, (2,))).tolist() == ["a", "bc"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("{", "is no JSON"),
        ("{}", "something else than numbers"),
        ("[null, 1]", "something else than numbers"),
        ("[[1], [2, 3]]", "lists differ in length"),
        ("[1, 2, 3]", "has shape [3]"),
    ],
)
def test_what_is_no_such_array_is_told_with_the_input_s_name(text, words):
    with pytest.raises(InputError) as error:
        read(text)
    assert words in str(error.value)
    assert "'x'" in str(error.value)


def test_whole_numbers_are_not_made_of_fractions():
    with pytest.raises(InputTypeError, match="rounded"):
        read("[1.5]", spec(np.int64, (1,)))


def test_files_are_told_by_what_is_in_them():
    x = np.array([[1, 2]])
    archive = io.BytesIO()
    np.savez(archive, other=x)
    for content in (npy(x), archive.getvalue(), b"[[1, 2]]"):
        np.testing.assert_array_equal(from_file(content), x)


@pytest.mark.parametrize(
    "content",
    [
        npy(np.array([{"a": 1}]), allow_pickle=True),  # would run code
        b"\x93NUMPY",
        b"PK\x03\x04 cut off",
        b"\xff\xfe",
    ],
    ids=["pickle", "cut off", "cut archive", "no text"],
)
def test_a_file_that_cannot_be_read_is_told_with_the_way_on(content):
    with pytest.raises(InputError, match=r"file for input 'x' can't be read.*numpy\.save"):
        from_file(content)


def test_an_output_is_told_in_figures_that_people_read():
    told = panel.summary("y", np.array([[0.1, -2, 3, 4, 5, 6, 7, 8, 1e-9]], np.float32))
    assert told["type"] == "float32[1, 9]"
    assert told["count"] == 9
    assert told["first"] == ["0.1", "−2", "3", "4", "5", "6", "7", "8"]
    assert told["figures"] == [["Least", "−2"], ["Largest", "8"], ["Mean", "3.45556"]]


def test_what_is_not_finite_is_counted_and_left_out_of_the_figures():
    told = panel.summary("y", np.array([np.nan, 1, np.inf, 3], np.float32))
    assert told["figures"] == [
        ["Least", "1"],
        ["Largest", "3"],
        ["Mean", "2"],
        ["Not finite", "2 of 4"],
    ]


@pytest.mark.parametrize("array", [np.zeros((0, 3), np.float32), np.array(5), np.array(["a"])])
def test_outputs_without_figures_are_shown_all_the_same(array):
    array = array.astype(object) if array.dtype.kind == "U" else array
    told = panel.summary("y", array)
    assert told["figures"] == []
    assert len(told["first"]) == array.size


@given(
    arrays.arrays(
        st.sampled_from([np.float32, np.float64, np.float16, np.int64, np.uint8, np.bool_]),
        arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    )
)
def test_json_brings_every_number_back(array):
    text = panel.as_json({"y": array}, {"ms": 1})
    one = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))[
        "outputs"
    ]["y"]
    values = np.array(one["values"], dtype=one["dtype"]).reshape(one["shape"])
    np.testing.assert_array_equal(values, array)
    depth, at = 0, one["values"]
    while isinstance(at, list):
        depth += 1
        at = at[0] if at else None
    assert depth == array.ndim or array.size == 0
