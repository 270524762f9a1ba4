"""The committed label model is what its recipe says, and answers as it did when it was made."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from satchel_models import Recipe, golden, graph, patch, tflite

FOLDER = Path(__file__).resolve().parents[3] / "models" / "efficientnet-lite0"

# Probabilities: float32 sums in another order, on another processor.
TOLERANCE = 1e-4
VARIANT = "int8-float16-weights"

# Cosine of int8 weights with the float32 original; the rebuild refuses less.
COSINE = 0.98


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return Recipe.load(FOLDER)


@pytest.fixture(scope="module")
def data(recipe) -> bytes:
    return (FOLDER / recipe.variant(VARIANT).file).read_bytes()


@pytest.fixture(scope="module")
def session(data):
    return graph.session(data)


def test_the_artefact_is_small(recipe, data):
    shipped = (FOLDER / recipe.variants[0].file).read_bytes()
    assert max(len(data), len(shipped)) <= recipe.quantise.max_bytes <= 5_000_000
    assert len(shipped) == recipe.evaluation.figures["bytes"]


def test_it_takes_photos_of_any_size_and_gives_probabilities(recipe, session):
    (image,), (probabilities,) = session.get_inputs(), session.get_outputs()
    assert (image.name, image.type) == ("image", "tensor(uint8)")
    assert image.shape == ["batch", "height", "width", 3]
    assert (probabilities.name, probabilities.type) == ("probabilities", "tensor(float)")
    assert probabilities.shape == ["batch", recipe.export.classes]


def test_there_is_one_name_for_each_class(recipe):
    labels = (FOLDER / recipe.files["labels"]).read_text(encoding="utf-8").splitlines()
    assert len(labels) == len(set(labels)) == recipe.export.classes == 1000
    assert all(label == label.strip() and label for label in labels)


def test_the_golden_inputs_are_those_that_the_code_makes(recipe):
    cases = golden.load(FOLDER / recipe.variant(VARIANT).golden)
    made = golden.inputs()
    assert len(cases) == len(made)
    for case, image in zip(cases, made, strict=True):
        np.testing.assert_array_equal(case.input, image)


def test_golden_outputs_are_what_they_were(recipe, session):
    for case in golden.load(FOLDER / recipe.variant(VARIANT).golden):
        (output,) = session.run(None, {"image": case.input})
        np.testing.assert_allclose(output, case.artefact, atol=TOLERANCE)
        np.testing.assert_allclose(output.sum(axis=1), 1, atol=1e-5)
        assert golden.cosine(output, case.original) > COSINE


@pytest.mark.parametrize("shape", [(0, 224, 224, 3), (1, 160, 160, 3), (3, 192, 256, 3)])
def test_batch_height_and_width_are_free(recipe, session, shape):
    (output,) = session.run(None, {"image": np.zeros(shape, np.uint8)})
    assert output.shape == (shape[0], recipe.export.classes)


def test_every_weight_is_stored_small(data):
    model = onnx.load_from_string(data)
    floats = [t for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT]
    assert all(len(tensor.dims) < 2 for tensor in floats)


def test_the_file_is_canonical(data):
    model = onnx.load_from_string(data)
    assert graph.canonical(model).SerializeToString(deterministic=True) == data


def test_litert_s_files_differ_in_shapes_alone(recipe):
    pytest.importorskip("ai_edge_litert")
    kept = {one.name: one for one in recipe.variants if one.engine == "litert"}
    whole = (FOLDER / kept["litert-int8-static"].file).read_bytes()
    for variant in kept.values():
        data = whole
        if variant.patch:
            data = patch.applied(whole, json.loads((FOLDER / variant.patch).read_text("utf-8")))
            assert sum(a != b for a, b in zip(whole, data, strict=True)) < 200
        (side,) = variant.resolutions
        model = tflite.Model(variant.name, data)
        assert [(s.name, s.dtype, s.shape) for s in model.inputs] == [
            ("image", "uint8", (1, side, side, 3))
        ]
        (photo,) = golden.inputs(shapes=((1, side, side),))
        found = model.run({"image": photo})["probabilities"]
        assert found.shape == (1, 1000)
        np.testing.assert_allclose(found.sum(), 1, atol=1e-5)


def test_litert_s_answers_are_near_the_original_s(recipe):
    pytest.importorskip("ai_edge_litert")
    model = tflite.Model("it", (FOLDER / recipe.variant("litert-int8-static").file).read_bytes())
    case = golden.load(FOLDER / recipe.variant(VARIANT).golden)[0]
    for photo, right in zip(case.input, case.original, strict=True):
        found = model.run({"image": photo[None]})["probabilities"]
        assert golden.cosine(found, right[None]) > COSINE
