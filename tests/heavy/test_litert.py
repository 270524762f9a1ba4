"""PyTorch and Keras originals become `.tflite` files that answer as their ONNX graphs do."""

import hashlib
import subprocess
from pathlib import Path

import numpy as np
import pytest

from builder import optimizing
from satchel_models import litert, native, tflite
from satchel_models.convert import Original, convert
from satchel_models.data import load
from satchel_models.litert import plan
from satchel_models.quantisation import Material
from satchel_models.recipe import RECIPE_FILE, Recipe, Session
from satchel_models.subjects import Own

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(900)]

HERE = Path(__file__).resolve().parent / "originals"
IMAGE = {"image": ((1, 1, 12, 12), "float32")}

RECIPE = """
id = "shapes"
task = "label"
title = "Shapes"
version = "1.0.0"
changelog = "First."

[source]
file = "{file}"

[label]
labels = "labels.txt"
{more}
"""


def silent(*_):
    """Nobody listens."""


@pytest.fixture(scope="module")
def originals(torch_python, tensorflow_python, litert_python, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    for python, program in ((torch_python, "write.py"), (tensorflow_python, "write_keras.py")):
        command = [python, HERE / program, folder]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    (folder / "networks.py").write_bytes((HERE / "networks.py").read_bytes())
    return folder


def made(original, converted, out, *, level="balanced", sides=True):
    """The candidates, calibrated with made-up inputs."""
    data = load(None, converted, seed=0)
    ladder = {"ladder": data.ladder, "resize": data.resize} if sides else {}
    material = Material(data.part("calibrate").feeds, data.generated, **ladder)
    order = litert.Order(original, converted, level, material)
    return litert.candidates(order, out, optimizing.Tools(), silent), material.calibrate


def answers_as_the_graph(found, converted, feeds, tolerance):
    """Compare float32's, and int8's where it is there, with the ONNX graph's answers."""
    session = native.loaded("The graph", converted.file.read_bytes(), Session("basic"))
    names = [output.name for output in session.get_outputs()]
    for candidate in found.candidates:
        if "@" in candidate.name:
            continue
        model = tflite.Model(candidate.name, candidate.file.read_bytes())
        allowed = 1e-4 if candidate.name == plan.FLOAT32 else tolerance
        for one in feeds[:4]:
            (right,) = native.answers("The graph", session, [one])
            answers = model.run(one)
            for name, value in zip(names, right, strict=True):
                scale = np.abs(value).max()
                assert np.abs(answers[name] - value).max() <= allowed * scale, candidate.name


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("whole.pt", {"trust": True, "inputs": IMAGE}),
        ("weights.pth", {"factory": "networks:Digits", "inputs": IMAGE}),
        ("dynamic.pt2", {}),
        ("traced.pt", {"inputs": IMAGE}),
    ],
)
def test_pytorch_of_every_kind_goes_through(originals, tmp_path, name, options):
    original = Original(originals / name, **options)
    converted = convert(original, tmp_path, optimizing.Tools(), silent)
    found, feeds = made(original, converted, tmp_path, sides=False)
    assert [one.name for one in found.candidates] == list(plan.planned("balanced")), found.rejected
    answers_as_the_graph(found, converted, feeds, tolerance=0.05)


def test_keras_goes_through_by_tensorflow_s_own_converter(originals, tmp_path):
    original = Original(originals / "two.keras")
    converted = convert(original, tmp_path, optimizing.Tools(), silent)
    found, feeds = made(original, converted, tmp_path, sides=False)
    assert [one.name for one in found.candidates] == list(plan.planned("balanced")), found.rejected
    answers_as_the_graph(found, converted, feeds, tolerance=0.1)


def test_an_operator_that_litert_does_not_have_is_told(originals, tmp_path):
    # Its ONNX graph can't be made either: what a graph would say is given here.
    working = Original(originals / "whole.pt", trust=True, inputs=IMAGE)
    converted = convert(working, tmp_path, optimizing.Tools(), silent)
    unknown = Original(originals / "unknown.pt", trust=True, inputs={"x": ((1, 4), "float32")})
    found, _ = made(unknown, converted, tmp_path / "out")
    assert found.candidates == ()
    (rejected,) = found.rejected
    assert "eig" in rejected.reason
    assert "Replace" in rejected.reason


@pytest.mark.parametrize(
    ("file", "more"),
    [
        ("fixed.pt2", "mean = [10.0]\nscale = [-245.0]"),
        ("shapes.keras", 'mean = [1.0, 2.0, 3.0]\ncolour = "bgr"\noutput = "probabilities"'),
    ],
)
def test_a_label_recipe_s_photo_goes_into_the_file(originals, tmp_path, file, more):
    folder = tmp_path / "recipe"
    folder.mkdir()
    text = RECIPE.format(file=originals / file, more=more)
    (folder / RECIPE_FILE).write_text(text)
    (folder / "labels.txt").write_text("".join(f"{k}\n" for k in range(10)))
    own = Own(Recipe.load(folder), trust=True)
    converted = own.convert(tmp_path, optimizing.Tools(), silent)
    found, feeds = made(own.original, converted, tmp_path, sides=False)
    assert [one.name for one in found.candidates] == list(plan.planned("balanced")), found.rejected
    (given,) = tflite.Model("it", found.candidates[0].file.read_bytes()).inputs
    assert (given.name, given.dtype) == (converted.inputs[0].name, "uint8")
    assert given.shape[-1] == 3
    answers_as_the_graph(found, converted, feeds, tolerance=0.1)


def test_the_same_original_gives_the_same_bytes(originals, tmp_path):
    original = Original(originals / "dynamic.pt2")
    converted = convert(original, tmp_path, optimizing.Tools(), silent)
    both = []
    for place in ("one", "two"):
        found, _ = made(original, converted, tmp_path / place)
        both.append([hashlib.sha256(c.file.read_bytes()).hexdigest() for c in found.candidates])
    assert both[0] == both[1]
    assert len(both[0]) >= 3
