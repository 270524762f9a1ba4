"""The committed artefact comes out of the original's weights again, with the same answers."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from builder import optimizing
from satchel_models import Recipe, golden, graph
from satchel_models.caching import Cache
from satchel_models.rebuild import Workplace, rebuild

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).resolve().parents[2]
MODEL = "efficientnet-lite0"

# Probabilities; another processor may round another weight the other way.
TOLERANCE = 0.01
# Float32 arithmetic in another order.
EXACT = 1e-4


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return Recipe.load(ROOT / "models" / MODEL)


def run_module(torch_python: Path, name: str, *arguments: str) -> str:
    """Run one of our modules in the PyTorch environment and return what it printed."""
    done = subprocess.run(
        [str(torch_python), "-m", f"satchel_models.{name}", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "models")},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def rebuilt(recipe, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("rebuilt")
    cache = Cache(tmp_path_factory.mktemp("cache"))
    rebuild(recipe, out, Workplace(optimizing.ORIGINALS, cache, optimizing.Tools()))
    return out


@pytest.fixture(scope="module")
def variant(recipe):
    return next(one for one in recipe.variants if one.engine == "onnxruntime")


def test_the_rebuilt_model_answers_like_the_committed_one(recipe, variant, rebuilt):
    committed = graph.session((recipe.folder / variant.file).read_bytes())
    again = graph.session((rebuilt / variant.file).read_bytes())
    for image in golden.inputs():
        (before,) = committed.run(None, {"image": image})
        (after,) = again.run(None, {"image": image})
        np.testing.assert_allclose(after, before, atol=TOLERANCE)
        assert golden.cosine(before, after) > 0.999


def test_the_original_still_answers_as_the_golden_set_says(recipe, variant, rebuilt):
    name = variant.golden
    committed, again = golden.load(recipe.folder / name), golden.load(rebuilt / name)
    for before, after in zip(committed, again, strict=True):
        np.testing.assert_array_equal(before.input, after.input)
        np.testing.assert_allclose(after.original, before.original, atol=EXACT)
        assert golden.cosine(after.original, before.artefact) > 0.98


def test_the_rebuilt_model_has_the_committed_one_s_weights(recipe, variant, rebuilt):
    name = variant.file
    committed, again = (onnx.load(folder / name) for folder in (recipe.folder, rebuilt))
    assert weights(again) == weights(committed)


def weights(model: onnx.ModelProto) -> set[bytes]:
    return {numpy_helper.to_array(tensor).tobytes() for tensor in model.graph.initializer}


def test_the_original_labels_photos(recipe, variant, torch_python, tmp_path):
    from PIL import Image

    data = tmp_path / "photos"
    data.mkdir()
    image = golden.inputs()[0][0]
    # Padded to the size at which a photo is only cropped, so that the crop is the golden input.
    Image.fromarray(np.pad(image, ((16, 16), (16, 16), (0, 0)))).save(data / "0.png")
    answer = golden.load(recipe.folder / variant.golden)[0].original[0]
    (data / "labels.csv").write_text(f"file,class_index\n0.png,{answer.argmax()}\n")
    report = tmp_path / "report.json"
    run_module(torch_python, "original", MODEL, "--data", str(data), "--json", str(report))
    found = json.loads(report.read_text())
    assert (found["count"], found["top1"]) == (1, 1.0)
    assert found["predictions"][0]["predicted"] == answer.argmax()
    assert found["predictions"][0]["score"] == pytest.approx(answer.max(), abs=EXACT)


def test_litert_s_files_are_made_again_byte_for_byte_without_the_photos(recipe, rebuilt):
    names = {name for one in recipe.variants for name in (one.file, one.patch) if name}
    names = {name for name in names if not name.endswith(".onnx")}
    for name in sorted(names):
        assert (rebuilt / name).read_bytes() == (recipe.folder / name).read_bytes(), name
