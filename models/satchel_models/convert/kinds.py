"""What a file or a folder is, told by its content."""

import json
import zipfile
from enum import StrEnum
from pathlib import Path

from satchel_models.convert import pickles
from satchel_models.errors import ConversionError


class Kind(StrEnum):
    """What can be converted; the value is its name for people."""

    ONNX = "ONNX"
    TORCH_PROGRAM = "PyTorch program (torch.export)"
    TORCHSCRIPT = "TorchScript"
    TORCH_OBJECT = "pickled PyTorch object"
    TORCH_WEIGHTS = "PyTorch weights"
    SAFETENSORS = "safetensors weights"
    KERAS = "Keras model"
    KERAS_HDF5 = "Keras model (HDF5)"
    SAVED_MODEL = "TensorFlow SavedModel"
    HUGGING_FACE = "Hugging Face model"


WANTED = (
    "What can be converted: ONNX, PyTorch (torch.export's .pt2, TorchScript, torch.save's files), "
    "safetensors, Keras, TensorFlow's SavedModel folder, a Hugging Face folder"
)

LARGEST_ONNX = 2**31
"""Bytes: what one protocol buffer may have."""

_DAMAGED = "It was probably cut short: get it or export it again."

_OTHERS: tuple[tuple[int, bytes, str], ...] = (
    (4, b"TFL3", "a TensorFlow Lite model: give the model that it was made from"),
    (4, b"ORTM", "an ONNX Runtime (.ort) model: give the .onnx file that it was made from"),
    (0, b"GGUF", "a GGUF model, for llama.cpp: give the Hugging Face folder it was made from"),
    (0, b"version https://git-lfs", "a pointer of Git LFS, not the file itself: run git lfs pull"),
    (0, b"<!DOCTYPE html", "a web page: the download went wrong"),
    (0, b"<html", "a web page: the download went wrong"),
    (0, b"\x93NUMPY", "a NumPy array, no model"),
    (0, b"\x1f\x8b", "a gzip archive: unpack it first"),
)
"""Offset, bytes, and what a file is that has those bytes there."""

_SHOWN = 5


def recognise(path: Path) -> Kind:
    """What is at `path`; nothing of it is run.

    Raises:
        ConversionError: Nothing is there, it is damaged, or nothing that can be converted.
    """
    if not path.exists():
        raise ConversionError(f"{path} doesn't exist. Give the path of a model's file or folder.")
    try:
        return _folder(path) if path.is_dir() else _file(path)
    except OSError as error:
        raise ConversionError(f"{path} cannot be read: {error.strerror or error}.") from error


def _folder(path: Path) -> Kind:
    names = {entry.name for entry in path.iterdir()}
    if names & {"saved_model.pb", "saved_model.pbtxt"}:
        return Kind.SAVED_MODEL
    if "config.json" in names and _describes_a_network(path / "config.json"):
        if any(name.endswith(".safetensors") for name in names):
            return Kind.HUGGING_FACE
        pickled = sorted(name for name in names if name.endswith((".bin", ".pt", ".pth")))
        have = f"only {', '.join(pickled[:_SHOWN])}" if pickled else "no weights"
        raise ConversionError(
            f"{path} has a Hugging Face config.json and {have}. Save the model again with "
            "model.save_pretrained(folder), which writes *.safetensors."
        )
    inside = sorted(name for name in names if not name.startswith("."))
    shown = ", ".join(inside[:_SHOWN]) + (", …" if len(inside) > _SHOWN else "")
    what = f"a folder with {shown}" if inside else "an empty folder"
    raise ConversionError(f"{path} is {what}, no model that is known. {WANTED}.")


def _describes_a_network(path: Path) -> bool:
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ConversionError(f"{path} is no JSON ({error}). {_DAMAGED}") from error
    return isinstance(found, dict) and bool({"model_type", "architectures"} & found.keys())


def _file(path: Path) -> Kind:
    size = path.stat().st_size
    if not size:
        raise ConversionError(f"{path} is empty (0 bytes). {_DAMAGED}")
    with path.open("rb") as data:
        head = data.read(64)
    for offset, mark, what in _OTHERS:
        if head[offset:].lower().startswith(mark.lower()):
            raise ConversionError(f"{path} is {what}. {WANTED}.")
    if head.startswith(b"PK\x03\x04"):
        return _archive(path)
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return Kind.KERAS_HDF5
    if head.startswith(pickles.PICKLE):
        return _pickle(path)
    if head[8:9] == b"{":
        return _safetensors(path, int.from_bytes(head[:8], "little"), size)
    return _onnx(path, head, size)


def _archive(path: Path) -> Kind:
    if not zipfile.is_zipfile(path):
        raise ConversionError(f"{path} is a zip archive without an end. {_DAMAGED}")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    inner = {name.partition("/")[2] for name in names}  # PyTorch's have one folder around all
    if {"config.json", "model.weights.h5"} <= set(names):
        return Kind.KERAS
    if "archive_format" in inner or "serialized_exported_program.json" in names:
        return Kind.TORCH_PROGRAM
    if "constants.pkl" in inner and any(name.startswith("code/") for name in inner):
        return Kind.TORCHSCRIPT
    if "data.pkl" in inner:
        return _torch(path)
    shown = ", ".join(names[:_SHOWN])
    raise ConversionError(f"{path} is a zip archive ({shown}, …), no model. {WANTED}.")


def _pickle(path: Path) -> Kind:
    if pickles.is_legacy(path):
        return _torch(path)
    raise ConversionError(
        f"{path} is a Python pickle that torch.save did not write. Load it where it was made, and "
        "save the model with torch.export.save or torch.save."
    )


def _torch(path: Path) -> Kind:
    try:
        code = pickles.foreign(path)
    except (ValueError, zipfile.BadZipFile) as error:
        raise ConversionError(f"{path} is a damaged PyTorch file ({error}). {_DAMAGED}") from error
    return Kind.TORCH_OBJECT if code else Kind.TORCH_WEIGHTS


def _safetensors(path: Path, length: int, size: int) -> Kind:
    with path.open("rb") as data:
        data.seek(8)
        header = data.read(min(length, size))
    try:
        tensors = json.loads(header)
        ends = [t["data_offsets"][1] for name, t in tensors.items() if name != "__metadata__"]
    except (ValueError, AttributeError, KeyError, TypeError, IndexError) as error:
        raise ConversionError(
            f"{path} begins like safetensors, and its header cannot be read. {_DAMAGED}"
        ) from error
    if 8 + length + max(ends, default=0) != size:
        raise ConversionError(
            f"{path} should have {8 + length + max(ends, default=0):,} bytes by its header, and "
            f"has {size:,}. {_DAMAGED}"
        )
    return Kind.SAFETENSORS


def _onnx(path: Path, head: bytes, size: int) -> Kind:
    import onnx
    from google.protobuf.message import DecodeError

    if size >= LARGEST_ONNX:
        raise ConversionError(
            f"{path} has {size:,} bytes and nothing that is known at its beginning; an ONNX file "
            "of 2 GiB and more keeps its weights beside it (onnx.save, save_as_external_data)."
        )
    try:
        model = onnx.load(path, format="protobuf", load_external_data=False)
    except (DecodeError, ValueError) as error:
        # An ONNX file begins with its format's version: field 1, a small number.
        if (head[:1] == b"\x08" and b"\x00" < head[1:2] < b"\x20") or path.suffix == ".onnx":
            raise ConversionError(f"{path} is a damaged ONNX file ({error}). {_DAMAGED}") from error
        raise ConversionError(f"{path} is no model that is known. {WANTED}.") from error
    if not (model.ir_version and model.opset_import and model.graph.output):
        if path.name == "saved_model.pb":
            raise ConversionError(f"Of a SavedModel, give the folder: {path.parent}.")
        raise ConversionError(f"{path} is no model that is known. {WANTED}.")
    return Kind.ONNX
