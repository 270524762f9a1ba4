"""Which models LiteRT's candidates are made of, and what is said where they can't be."""

import re
import sys

import networks
import numpy as np
import pytest

from satchel_models import litert
from satchel_models.convert import Kind, Original
from satchel_models.litert import exchange, fitness, plan
from satchel_models.litert.exchange import Made, Wanted
from satchel_models.photo_face import PhotoFace
from satchel_models.quantisation import Material
from satchel_models.steps import Converted, Spec
from satchel_models.tools import Installed

IMAGE = Spec("image", "uint8", ("batch", "height", "width", 3))
SCORES = Spec("scores", "float32", ("batch", 10))


def converted(tmp_path, inputs=(IMAGE,), outputs=(SCORES,)):
    return Converted(tmp_path / "none.onnx", "", tuple(inputs), tuple(outputs), 18, 1)


def test_an_image_of_any_size_can_be_fixed(tmp_path):
    assert fitness.unfit(converted(tmp_path), Kind.TORCH_OBJECT) == ""


@pytest.mark.parametrize(
    ("inputs", "kind", "words"),
    [
        ([IMAGE], Kind.ONNX, "not ONNX: give the model that this file was made from"),
        ([IMAGE], None, "built of its weights alone"),
        ([Spec("ids", "int64", ("batch", "tokens"))], Kind.HUGGING_FACE, r"\[batch, tokens\]"),
        ([Spec("ids", "int64", ("batch", 16))], Kind.HUGGING_FACE, "ids is int64"),
        ([Spec("x", "float64", (1, 3))], Kind.TORCH_PROGRAM, "x is float64"),
    ],
)
def test_what_can_have_no_file_is_told_why(tmp_path, inputs, kind, words):
    assert re.search(words, fitness.unfit(converted(tmp_path, inputs), kind))


def test_an_onnx_model_gets_one_sentence_and_no_environment(tmp_path):
    done = networks.converted(networks.convolutional(), tmp_path)
    order = litert.Order(Original(done.file), done, "balanced", Material((), generated=True))

    class Nowhere:
        def python(self, environment):
            raise AssertionError(environment)

    found = litert.candidates(order, tmp_path, Nowhere(), lambda *_: None)
    assert found.candidates == ()
    assert [one.name for one in found.rejected] == [litert.ALL]


def test_an_environment_that_can_not_be_made_is_no_result(tmp_path):
    path = tmp_path / "weights.safetensors"
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    original = Original(path, factory="nothing:here")
    material = Material(networks.images(), generated=False)
    order = litert.Order(original, converted(tmp_path), "balanced", material)
    with pytest.raises(litert.NoEnvironmentError, match=f"isn't installed in {sys.prefix}"):
        litert.candidates(order, tmp_path, Installed(), lambda *_: None)


def test_a_missing_factory_is_said_before_an_environment_is_made(tmp_path):
    path = tmp_path / "weights.safetensors"
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    material = Material(networks.images(), generated=False)
    order = litert.Order(Original(path), converted(tmp_path), "balanced", material)
    found = litert.candidates(order, tmp_path, Installed(), lambda *_: None)
    assert "--factory" in found.rejected[0].reason


def test_each_level_begins_with_float32_and_has_all_of_the_one_before():
    fast, balanced, aggressive = map(plan.planned, ("fast", "balanced", "aggressive"))
    assert fast[0] == plan.FLOAT32
    assert balanced[: len(fast)] == fast
    assert aggressive[: len(balanced)] == balanced
    assert {*aggressive} == {*plan.METHODS} == {*plan.LADDER}


def test_what_is_wanted_crosses_to_the_other_program(tmp_path):
    face = PhotoFace(224, 192, 10, mean=(1.0, 2.0, 3.0), colour="bgr", softmax=False)
    feeds = [{"image": np.full((1, 4, 4, 3), k, np.uint8)} for k in range(3)]
    wanted = Wanted(("a", "b"), {192: feeds[2]}, face, {"t1": (-1.0, 0.5)}, 1)
    exchange.write_wanted(tmp_path, wanted, feeds[:2])
    found, samples = exchange.read_wanted(tmp_path)
    np.testing.assert_array_equal(found.smaller[192]["image"], feeds[2]["image"])
    assert (found.methods, found.face, found.ranges, found.trials) == (
        ("a", "b"), face, {"t1": (-1.0, 0.5)}, 1,
    )  # fmt: skip
    assert [one["image"].max() for one in samples] == [0, 1]


def test_what_was_made_comes_back(tmp_path):
    made = Made({"a": "a.tflite"}, {"b": "It can't be made."}, {"t1": (0.0, 6.0)})
    answers = {"a": [{"y": np.ones((1, 2), np.float32)}]}
    exchange.write_made(tmp_path, made, answers)
    found, again = exchange.read_made(tmp_path)
    assert found == made
    np.testing.assert_array_equal(again["a"][0]["y"], answers["a"][0]["y"])


def test_a_face_s_colours_are_one_product():
    face = PhotoFace(8, 8, 2, mean=(10.0,), scale=(2.0,), colour="grey")
    weights, more = face.colours()
    photo = np.array([[[100.0, 150.0, 200.0]]])
    grey = 0.299 * 100 + 0.587 * 150 + 0.114 * 200
    np.testing.assert_allclose(photo @ weights.T + more, [[[(grey - 10) / 2]]], rtol=1e-6)
    turned, _ = PhotoFace(8, 8, 2, scale=(1.0,), colour="bgr").colours()
    np.testing.assert_array_equal(photo @ turned.T, photo[..., ::-1])


@pytest.mark.parametrize(
    ("said", "direct"),
    [
        ({"mean": (127.0,), "scale": (128.0,)}, (1 / 128, 127)),
        ({"mean": (0.0, 0.0, 0.0), "scale": (255.0,)}, (1 / 255, 0)),
        ({"mean": (127.5,), "scale": (127.5,)}, None),
        ({"mean": (123.0, 117.0, 104.0), "scale": (1.0,)}, None),
        ({"mean": (0.0,), "scale": (-1.0,)}, None),
        ({"mean": (0.0,), "scale": (1.0,), "colour": "bgr"}, None),
    ],
)
def test_bytes_are_an_input_by_themselves_where_one_scale_and_a_whole_zero_do(said, direct):
    assert PhotoFace(8, 8, 2, **said).direct == direct
