"""What a file is, told by its content; what is no model ends in a sentence with the way out."""

import io
import json
import os
import pickle
import pickletools
import zipfile

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from safetensors.numpy import save_file

from satchel_models.convert import Kind, pickles, recognise
from satchel_models.errors import ConversionError


def identity() -> bytes:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [value], [out])
    return helper.make_model(graph).SerializeToString()


def archive(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as written:
        for name, data in entries.items():
            written.writestr(name, data)
    return buffer.getvalue()


def torch_pickle(*imports: str) -> bytes:
    """A pickle that names what it would import, as torch.save writes it (protocol 2)."""
    return b"\x80\x02" + b"".join(b"c%s\n0" % name.encode() for name in imports) + b"N."


WEIGHTS = torch_pickle(
    "torch._utils\n_rebuild_tensor_v2", "torch\nFloatStorage", "collections\nOrderedDict"
)
MODULE = torch_pickle("torch._utils\n_rebuild_tensor_v2", "mymodels.digits\nDigits")

FILES = {
    Kind.ONNX: identity(),
    Kind.TORCH_PROGRAM: archive({"digits/archive_format": b"pt2", "digits/models/model.json": b""}),
    Kind.TORCHSCRIPT: archive({"a/data.pkl": MODULE, "a/constants.pkl": b"", "a/code/a.py": b""}),
    Kind.TORCH_OBJECT: archive({"archive/data.pkl": MODULE, "archive/data/0": b"\x80\x02abc"}),
    Kind.TORCH_WEIGHTS: archive({"archive/data.pkl": WEIGHTS, "archive/version": b"3"}),
    Kind.KERAS: archive({"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": b""}),
    Kind.KERAS_HDF5: b"\x89HDF\r\n\x1a\n" + bytes(100),
}


@pytest.mark.parametrize("kind", FILES, ids=lambda kind: kind.name)
def test_a_file_is_what_its_content_is_whatever_its_name_says(kind, tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(FILES[kind])
    assert recognise(path) is kind


def test_safetensors_are_recognised(tmp_path):
    save_file({"w": np.ones((2, 3), np.float32)}, tmp_path / "w")
    assert recognise(tmp_path / "w") is Kind.SAFETENSORS


def test_folders_are_recognised(tmp_path):
    saved, hugging = tmp_path / "saved", tmp_path / "hugging"
    saved.mkdir()
    hugging.mkdir()
    (saved / "saved_model.pb").write_bytes(b"\x08\x01")
    (hugging / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (hugging / "model.safetensors").write_bytes(b"")
    assert recognise(saved) is Kind.SAVED_MODEL
    assert recognise(hugging) is Kind.HUGGING_FACE


def legacy(body: bytes) -> bytes:
    """As torch.save wrote before 1.6: magic number, protocol, machine, the object."""
    first = (pickle.dumps(part, 2) for part in (pickles.LEGACY_MAGIC, 1001, {"little": True}))
    return b"".join(first) + body


@pytest.mark.parametrize(
    ("body", "kind"), [(WEIGHTS, Kind.TORCH_WEIGHTS), (MODULE, Kind.TORCH_OBJECT)]
)
def test_files_of_old_pytorch_are_recognised(body, kind, tmp_path):
    (tmp_path / "old.pth").write_bytes(legacy(body) + bytes(50))
    assert recognise(tmp_path / "old.pth") is kind


WRONG = {
    "empty": (b"", "is empty"),
    "a text": (b"hello, I am a model", "no model that is known"),
    "a cut zip": (FILES[Kind.KERAS][:-30], "without an end"),
    "another zip": (archive({"a.txt": b"hi"}), "no model"),
    "a cut ONNX file": (identity()[:-9], "damaged ONNX"),
    "a Git LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
    "a web page": (b"<!doctype HTML><title>404</title>", "download went wrong"),
    "TensorFlow Lite": (b"\x1c\0\0\0TFL3" + bytes(20), "the model that it was made from"),
    "another pickle": (pickle.dumps({"a": 1}), "torch.save did not write"),
    "a damaged pickle": (archive({"archive/data.pkl": WEIGHTS[:-5]}), "damaged PyTorch file"),
    "cut safetensors": (b"\x40\0\0\0\0\0\0\0" + b'{"w":{"dtype"', "header cannot be read"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_model_ends_in_a_sentence_that_names_the_file(name, tmp_path):
    data, words = WRONG[name]
    path = tmp_path / "model"
    path.write_bytes(data)
    with pytest.raises(ConversionError, match=words) as raised:
        recognise(path)
    assert str(path) in str(raised.value)


def test_safetensors_that_lost_their_end_are_refused(tmp_path):
    save_file({"w": np.ones((2, 3), np.float32)}, tmp_path / "w")
    data = (tmp_path / "w").read_bytes()
    (tmp_path / "w").write_bytes(data[:-4])
    with pytest.raises(ConversionError, match=f"should have {len(data)} bytes"):
        recognise(tmp_path / "w")


def test_what_is_missing_ends_in_a_sentence(tmp_path):
    with pytest.raises(ConversionError, match=r"nothing\.onnx doesn't exist"):
        recognise(tmp_path / "nothing.onnx")


def test_folders_that_are_no_model_say_what_is_in_them(tmp_path):
    with pytest.raises(ConversionError, match="an empty folder"):
        recognise(tmp_path)
    (tmp_path / "notes.txt").write_text("hi")
    with pytest.raises(ConversionError, match=r"a folder with notes\.txt"):
        recognise(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(ConversionError, match=r"only pytorch_model\.bin.*save_pretrained"):
        recognise(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ConversionError, match="is no JSON"):
        recognise(tmp_path)


class Call:
    """Pickles to a call of something else."""

    def __init__(self, function):
        self.function = function

    def __reduce__(self):
        return self.function, ()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_what_a_pickle_would_run_is_told_without_running_it(protocol, tmp_path):
    data = pickle.dumps({"weights": [1, 2], "more": Call(os.getcwd)}, protocol)
    (tmp_path / "p").write_bytes(archive({"archive/data.pkl": data}))
    (found,) = pickles.foreign(tmp_path / "p")
    assert found.endswith(".getcwd")


def test_a_name_that_is_put_together_on_the_way_is_no_safe_name():
    # OrderedDict's name is pushed last and taken away again: what is imported is os.system.
    data = b"\x80\x04\x8c\x02os\x8c\x06system\x8c\x0bcollections\x8c\x0bOrderedDict00\x93."
    pickletools.dis(data, io.StringIO())
    (found,) = pickles.names(io.BytesIO(data))
    assert not pickles.PLAIN.fullmatch(found)


def test_a_graph_whose_weights_are_2_gib_in_one_file_says_how_to_split_it(tmp_path):
    path = tmp_path / "big.onnx"
    with path.open("wb") as data:
        data.write(b"\x08\x08")
        data.truncate(2**31)
    with pytest.raises(ConversionError, match="save_as_external_data"):
        recognise(path)


def test_an_onnx_graph_is_recognised_under_any_extension(tmp_path):
    path = tmp_path / "model.json"
    path.write_bytes(identity())
    assert recognise(path) is Kind.ONNX
    assert onnx.load(path, format="protobuf").graph.name == "g"
