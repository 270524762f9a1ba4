"""Golden sets: read as written, strict, and able to tell a sound answer from a broken one."""

import io
import json
import zipfile

import numpy as np
import pytest

from satchel import ManifestError
from satchel.golden import Case, GoldenSet, Tolerance, decode, encode

EXPECTED = np.array([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4]], np.float32)


@pytest.fixture
def golden():
    inputs = {"image": np.arange(6, dtype=np.uint8).reshape(2, 3), "mask": np.ones(2, np.int64)}
    return GoldenSet(Tolerance(0.99, 1), (Case(inputs, {"probabilities": EXPECTED}),))


def test_a_set_is_read_as_it_was_written_and_is_the_same_bytes_each_time(golden):
    data = encode(golden)
    assert data == encode(golden)
    found = decode(data)
    assert found.tolerance == golden.tolerance
    for before, after in zip(golden.cases, found.cases, strict=True):
        assert before.inputs.keys() == after.inputs.keys()
        for name, array in before.inputs.items():
            np.testing.assert_array_equal(array, after.inputs[name], strict=True)
        np.testing.assert_array_equal(EXPECTED, after.outputs["probabilities"], strict=True)


def test_the_expected_answer_and_one_near_it_are_right(golden):
    assert golden.problem(0, {"probabilities": EXPECTED}) is None
    assert golden.problem(0, {"probabilities": EXPECTED + np.float32(0.001)}) is None


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ({}, "'probabilities' is missing"),
        ({"probabilities": EXPECTED[:1]}, r"float32 \[1, 3\], not float32 \[2, 3\]"),
        ({"probabilities": EXPECTED.astype(np.float64)}, "float64"),
        ({"probabilities": EXPECTED * np.float32(np.nan)}, "not finite"),
        ({"probabilities": EXPECTED[:, ::-1].copy()}, "has cosine 0"),
        ({"probabilities": EXPECTED * 0}, "has cosine 0"),
        (
            {"probabilities": np.array([[0.7, 0.2, 0.1], [0.1, 0.45, 0.46]], np.float32)},
            "outside the 1 largest",
        ),
    ],
)
def test_a_broken_answer_is_told_and_named(golden, outputs, words):
    import re

    assert re.search(words, golden.problem(0, outputs))


def test_rows_of_zeros_agree_with_themselves():
    zeros = np.zeros((1, 3), np.float32)
    golden = GoldenSet(Tolerance(0.99, 1), (Case({}, {"y": zeros}),))
    assert golden.problem(0, {"y": zeros}) is None


def changed(data, change):
    """The archive with its JSON changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(members["golden.json"])
    change(about, members)
    members["golden.json"] = json.dumps(about).encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda about, _: about.update(schema=2), "schema is not 1"),
        (lambda about, _: about.update(more=1), "golden.more is unknown"),
        (lambda about, _: about["tolerance"].pop("cosine"), "golden.tolerance.cosine is missing"),
        (lambda _, members: members.pop("0/inputs/0.npy"), "'0/inputs/0.npy' cannot be read"),
        (lambda _, members: members.update({"0/inputs/0.npy": b"no"}), "cannot be read"),
    ],
)
def test_a_set_that_is_wrong_is_refused_with_the_place(golden, change, words):
    with pytest.raises(ManifestError, match=words):
        decode(changed(encode(golden), change))


def test_what_is_no_archive_is_refused(golden):
    for data in (b"", b"no", encode(golden)[:-10]):
        with pytest.raises(ManifestError, match="no golden set"):
            decode(data)
