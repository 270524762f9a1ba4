"""`.tflite` files on this machine: what they take, answer and round, and what is refused."""

import numpy as np
import pytest
import tflite_files

from satchel_models import tflite
from satchel_models.errors import GraphError
from satchel_models.steps import Spec

MATRIX = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
X = np.array([[0.5, -1.0, 2.0, 0.25]], np.float32)


def test_it_answers_by_the_names_of_its_signature():
    model = tflite.Model("small", tflite_files.products([MATRIX]))
    assert model.inputs == (Spec("x", "float32", (1, 4)),)
    assert model.outputs == (Spec("y", "float32", (1, 3)),)
    found = model.run({"x": X, "unused": X})
    np.testing.assert_allclose(found["y"], X @ MATRIX, rtol=1e-5)


def test_an_answer_stays_when_the_next_one_comes():
    model = tflite.Model("small", tflite_files.products([MATRIX]))
    first = model.run({"x": X})["y"]
    kept = first.copy()
    model.run({"x": -X})
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize(
    ("content", "rounds", "operators"),
    [
        (tflite_files.products([MATRIX]), False, 1),
        (tflite_files.stored_small(MATRIX), False, 2),
        (tflite_files.rounded(MATRIX), True, 3),
    ],
)
def test_what_computes_with_rounded_numbers_is_told_from_what_stores_them(
    content, rounds, operators
):
    assert tflite.rounds(content) == rounds
    assert tflite.operators(content) == operators
    found = tflite.Model("small", content).run({"x": X})["y"]
    np.testing.assert_allclose(found, X @ MATRIX, atol=0.1)


@pytest.mark.parametrize("content", [b"", b"no model", tflite_files.products([MATRIX])[:200]])
def test_what_is_no_model_does_not_load_and_says_so(content):
    with pytest.raises(GraphError, match="small doesn't load"):
        tflite.Model("small", content)


def test_a_file_without_a_signature_is_refused_for_want_of_names():
    with pytest.raises(GraphError, match="no signature"):
        tflite.Model("small", tflite_files.products([MATRIX], signature=False))


@pytest.mark.parametrize(
    ("feeds", "found"),
    [
        ({}, "got nothing"),
        ({"x": np.zeros((2, 4), np.float32)}, r"got float32 \[2, 4\]"),
        ({"x": np.zeros((1, 4), np.int32)}, r"got int32 \[1, 4\]"),
    ],
)
def test_inputs_that_a_browser_would_refuse_are_refused_here(feeds, found):
    model = tflite.Model("small", tflite_files.products([MATRIX]))
    with pytest.raises(GraphError, match=rf"input x takes float32 \[1, 4\], and {found}"):
        model.run(feeds)
