"""PyTorch originals of every kind become ONNX graphs that answer as they do."""

import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from satchel_models.convert import Original, convert
from satchel_models.errors import ConversionError, UnsupportedOperatorError

pytestmark = pytest.mark.heavy

HERE = Path(__file__).resolve().parent / "originals"
IMAGE = {"image": ((1, 1, 12, 12), "float32")}


@pytest.fixture(scope="module")
def originals(torch_python, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    subprocess.run([torch_python, HERE / "write.py", folder], check=True, timeout=300)
    (folder / "networks.py").write_bytes((HERE / "networks.py").read_bytes())
    # What lies beside a model must not stand in for a library.
    (folder / "onnx.py").write_text("raise SystemExit('imported from beside the model')")
    return folder


@pytest.fixture
def step(originals, torch_python, tmp_path):
    class Tools:
        def python(self, environment):
            assert environment == "torch"
            return torch_python

    def run(name, **options):
        said = []
        done = convert(
            Original(originals / name, **options),
            tmp_path / "out",
            Tools(),
            lambda text, share: said.append(text),
        )
        assert "Exporting to ONNX" in said
        return done

    return run


def answer(done, **feeds):
    return onnxruntime.InferenceSession(done.file).run(None, feeds)


def images(*shape):
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


@pytest.fixture(scope="module")
def right(originals, torch_python):
    """What the digits network says to two images."""
    x, y = originals / "x.npy", originals / "y.npy"
    np.save(x, images(2, 1, 12, 12))
    code = (
        "import sys, numpy, torch; m = torch.load(sys.argv[1], weights_only=False);"
        "numpy.save(sys.argv[3], m(torch.from_numpy(numpy.load(sys.argv[2]))).detach().numpy())"
    )
    command = [torch_python, "-c", code, originals / "whole.pt", x, y]
    subprocess.run(command, cwd=originals, check=True, timeout=100)
    return np.load(y)


WAYS = {
    "whole.pt": {"trust": True, "inputs": IMAGE},
    "weights.pth": {"factory": "networks:digits", "arguments": ("10",), "inputs": IMAGE},
    "checkpoint.pth": {"factory": "networks:Digits", "inputs": IMAGE},
    "dynamic.pt2": {},
    "fixed.pt2": {},
    "scripted.pt": {"inputs": IMAGE},
    "traced.pt": {"inputs": IMAGE},
}


@pytest.mark.parametrize("name", WAYS)
def test_every_kind_of_file_answers_as_the_network_with_a_dynamic_batch(name, step, right):
    done = step(name, **WAYS[name])
    (given,), (got,) = done.inputs, done.outputs
    assert (given.name, given.dtype, given.shape[:2]) == ("image", "float32", ("batch", 1))
    assert (got.name, got.shape) == ("output", ("batch", 10))
    assert done.opset >= 17
    assert done.examples == ((1, 1, 12, 12),)
    x = images(2, 1, 12, 12)
    np.testing.assert_allclose(answer(done, image=x)[0], right, atol=1e-5)
    np.testing.assert_allclose(answer(done, image=x[1:])[0], right[1:], atol=1e-5)


@pytest.mark.parametrize("name", ["weights.pth", "scripted.pt"])
def test_other_axes_stay_dynamic_where_they_are_asked_for(name, step):
    done = step(name, factory="networks:Digits", inputs=IMAGE, dynamic={"image": (2, 3)})
    assert done.inputs[0].shape == ("batch", 1, "image_2", "image_3")
    assert answer(done, image=images(3, 1, 9, 20))[0].shape == (3, 10)


def test_several_inputs_and_named_outputs_come_out_under_their_names(step):
    inputs = {"ids": ((1, 5), "int64"), "weights": ((1, 5), "float32")}
    done = step("pair.pt", trust=True, inputs=inputs, dynamic={"ids": (1,), "weights": (1,)})
    assert [(s.name, s.dtype) for s in done.inputs] == [("ids", "int64"), ("weights", "float32")]
    assert [(s.name, s.dtype) for s in done.outputs] == [("scores", "float32"), ("best", "int64")]
    scores, best = answer(done, ids=np.full((3, 8), 49), weights=images(3, 8))
    np.testing.assert_array_equal(scores.argmax(1), best)
    named = step("pair.pt", trust=True, inputs=inputs, outputs=("a", "b"))
    assert [s.name for s in named.outputs] == ["a", "b"]
    with pytest.raises(ConversionError, match=r"2 outputs \(scores, best\), and 1 names"):
        step("pair.pt", trust=True, inputs=inputs, outputs=("a",))


def test_half_precision_becomes_float32(step):
    done = step("half.pth", factory="networks:digits", arguments=("7",), inputs=IMAGE)
    assert done.outputs[0].shape == ("batch", 7)
    assert any("float16 weights became float32" in note for note in done.notes)


def test_a_branch_in_torchscript_stays_a_branch(step):
    done = step("branch.pt", inputs={"x": ((1, 4), "float32")})
    assert any("If ×1" in note for note in done.notes)
    x = images(1, 4)
    x += 9
    (up,), (down,) = answer(done, x=x), answer(done, x=-x)
    assert not np.allclose(up, -down)


REFUSED = {
    "pair.pt": ({"trust": True}, ConversionError, r"forward is \(ids.*--input"),
    "random.pt": (
        {"trust": True, "inputs": {"x": ((1, 4), "float32")}},
        ConversionError,
        "otherwise each time",
    ),
    "unknown.pt": (
        {"trust": True, "inputs": {"x": ((1, 4), "float32")}},
        UnsupportedOperatorError,
        r"no ONNX translation of aten\.linalg_eig",
    ),
    "half.pth": (
        {"factory": "networks:digits", "inputs": IMAGE},
        ConversionError,
        "don't fit what networks:digits makes",
    ),
    "checkpoint.pth": (
        {"factory": "networks:nothing", "inputs": IMAGE},
        ConversionError,
        "networks:nothing cannot be imported",
    ),
    "dynamic.pt2": (
        {"inputs": {**IMAGE, "more": ((1,), "float32")}},
        ConversionError,
        r"has 1 inputs \(image\), not 2",
    ),
    "scripted.pt": (
        {"inputs": {"image": ((1, 3, 12, 12), "float32")}},
        ConversionError,
        "doesn't run with image float32",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_converted_ends_in_a_sentence_and_leaves_nothing(name, step, tmp_path):
    options, error, words = REFUSED[name]
    with pytest.raises(error, match=words) as raised:
        step(name, **options)
    assert "Traceback" not in str(raised.value)
    assert list((tmp_path / "out").iterdir()) == []
