"""What doesn't fit a page of one's own is told by `optimize` in one sentence, with the way on."""

import subprocess
import sys

import onnx
import own_sites
import pytest

from builder import newsite, optimizing
from builder.errors import BuildError
from builder.paths import ROOT


@pytest.fixture
def optimize(tmp_path):
    """Begins a site for photos, and asks for its model to be optimised."""

    def run(model=None, labels=""):
        newsite.create(tmp_path / "own", task="label")
        place = tmp_path / "own/models/own"
        if model:
            onnx.save(model, place / "model.onnx")
        if labels:
            (place / "labels.txt").write_text(labels, "utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "builder.cli", "optimize", str(place)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        return " ".join(done.stderr.split("build.py: ")[-1].split())

    return run


def test_a_model_that_is_not_there_is_named(optimize):
    told = optimize()
    assert told.startswith("There is no model at")
    assert "model.onnx. Put it there" in told


def test_three_inputs_are_no_photo(optimize):
    told = optimize(own_sites.sums(), "zero\n")
    assert told.startswith("own takes 3 inputs (x: float32[batch, 3], factor: int64[1], table:")
    assert told.endswith('give it the task "tensors".')


def test_labels_are_counted(optimize):
    told = optimize(own_sites.digits(), "zero\none\n")
    assert told.startswith("own tells 3 classes apart, but")
    assert "labels.txt lists 2. Write a name for each class" in told


def test_labels_that_are_not_there_are_asked_for(optimize):
    told = optimize(own_sites.digits())
    assert "Write the classes' names into it, one a line" in told


@pytest.mark.parametrize("said", ["576", "=576", "frame=", "frame=0", "frame=-1", "frame=long"])
def test_a_size_that_is_fixed_needs_its_axis_and_a_number(said):
    options = {"inputs": (), "outputs": (), "factory": None, "trust": False}
    with pytest.raises(BuildError, match=r"write NAME=576\.$"):
        optimizing.subject(
            "voice.onnx", fixed=(said,), mean=(), scale=(), tokenizer=None, **options
        )
