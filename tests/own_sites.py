"""Sites of one's own for tests of the page: begun by `new`, with models that are quick to make."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from builder import newsite
from satchel_models import Recipe, artefact
from satchel_models.own_interface import resolutions, with_interface
from satchel_models.recipe import Session, Variant


def make(folder: Path, task: str, model: onnx.ModelProto, *, labels: str = "", **names) -> Path:
    """Begin a site for a model, and return its file."""
    newsite.create(folder, task=task, model=folder.with_suffix(".onnx"), **names)
    onnx.save(model, folder.with_suffix(".onnx"))
    (place,) = (folder / "models").iterdir()
    if labels:
        (place / "labels.txt").write_text(labels, "utf-8")
    keep(place)
    return folder / "site.toml"


def keep(place: Path) -> None:
    """Put an artefact beside a recipe: the model with its task's interface, and nothing more.

    `optimize` would measure candidates for minutes, which is other tests' business.
    """
    recipe = Recipe.load(place)
    made = with_interface(onnx.load(recipe.original), recipe)
    file = place.parent / "made.onnx"
    onnx.save(made, file)
    variant = Variant(
        "float32", "onnxruntime", "model.onnx", Session("basic"), resolutions=resolutions(recipe)
    )
    artefact.keep(recipe, recipe.made_from, [(variant, file)])
    file.unlink()


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs, outputs, **constants) -> onnx.ModelProto:
    """A model of opset 18."""
    weights = [
        numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()
    ]
    graph = helper.make_graph(nodes, "main", inputs, outputs, weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(made)
    return made


def sums() -> onnx.ModelProto:
    """Three inputs, three outputs: each row of `x` times `factor`, and which are positive.

    `table` is not touched by anything but its own output.
    """
    nodes = [
        helper.make_node("Cast", ["factor"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["x", "f"], ["scaled"]),
        helper.make_node("Greater", ["scaled", "zero"], ["positive"]),
        helper.make_node("Add", ["table", "table"], ["twice"]),
    ]
    inputs = [
        value("x", TensorProto.FLOAT, ["batch", 3]),
        value("factor", TensorProto.INT64, [1]),
        value("table", TensorProto.UINT8, [4, 5]),
    ]
    outputs = [
        value("scaled", TensorProto.FLOAT, ["batch", 3]),
        value("positive", TensorProto.BOOL, ["batch", 3]),
        value("twice", TensorProto.UINT8, [4, 5]),
    ]
    return model(nodes, inputs, outputs, zero=np.zeros(1, np.float32))


GLYPHS = {
    "0": "01110 10001 10001 10001 10001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110",
    "7": "11111 00001 00010 00100 01000 01000 01000",
}
"""Digits on 5 × 7 cells."""


def glyph(digit: str, side: int = 8) -> np.ndarray:
    """A digit, light on dark: uint8 [side, side]."""
    cells = np.array([[int(cell) for cell in row] for row in GLYPHS[digit].split()], np.uint8)
    image = np.zeros((8, 8), np.uint8)
    image[:7, 1:6] = 255 * cells
    return image.repeat(side // 8, axis=0).repeat(side // 8, axis=1)


def digits(side: int = 8) -> onnx.ModelProto:
    """A classifier of one grey channel: which glyph is the photo most alike?"""
    shapes = np.stack([glyph(name, side).reshape(-1) / 255 for name in GLYPHS])
    shapes = shapes - shapes.mean(axis=1, keepdims=True)
    weights = (shapes / np.linalg.norm(shapes, axis=1, keepdims=True)).T.astype(np.float32)
    nodes = [
        helper.make_node("Flatten", ["pixels"], ["row"], axis=1),
        helper.make_node("MatMul", ["row", "weights"], ["scores"]),
    ]
    inputs = [value("pixels", TensorProto.FLOAT, ["n", 1, side, side])]
    outputs = [value("scores", TensorProto.FLOAT, ["n", len(GLYPHS)])]
    return model(nodes, inputs, outputs, weights=weights)
