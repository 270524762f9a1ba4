"""A site whose label model has a variant for each engine; a host that isolates pages or doesn't."""

from __future__ import annotations

from pathlib import Path

import litert_models
import numpy as np
import onnx
import own_sites

from builder import bundle
from builder.release import commands, source
from builder.site import load
from satchel_models import Recipe, artefact
from satchel_models.own_interface import with_interface
from satchel_models.recipe import Session, Variant

SIDE = 8


def tflite(strength: float = 1.0) -> bytes:
    """The classifier of `own_sites.digits` for LiteRT, with its preprocessing inside."""
    ops, count = litert_models.Ops, len(own_sites.GLYPHS)
    shapes = np.stack([own_sites.glyph(name, SIDE).reshape(-1) / 255 for name in own_sites.GLYPHS])
    shapes = shapes - shapes.mean(axis=1, keepdims=True)
    weights = strength / 255 * shapes / np.linalg.norm(shapes, axis=1, keepdims=True)
    model = litert_models.Model()
    graph = model.graph()
    image = graph.tensor("image", [1, SIDE, SIDE, 3], "uint8")
    values = graph.tensor("values", [1, SIDE, SIDE, 3])
    grey = graph.tensor("grey", [1, SIDE, SIDE])
    row = graph.tensor("row", [1, SIDE * SIDE])
    scores = graph.tensor("scores", [1, count])
    probabilities = graph.tensor("probabilities", [1, count])
    axis = graph.tensor("axis", [1], "int32", [3])
    flat = graph.tensor("flat", [2], "int32", [1, SIDE * SIDE])
    known = graph.tensor("weights", weights.shape, data=weights)
    graph.node(ops.CAST, [image], [values], CastOptions={})
    graph.node(ops.MEAN, [values, axis], [grey], ReducerOptions={"keepDims": False})
    graph.node(ops.RESHAPE, [grey, flat], [row], ReshapeOptions={"newShape": [1, SIDE * SIDE]})
    graph.node(ops.FULLY_CONNECTED, [row, known, -1], [scores], FullyConnectedOptions={})
    graph.node(ops.SOFTMAX, [scores], [probabilities], SoftmaxOptions={"beta": 1.0})
    graph.ends([image], [probabilities])
    return model.written()


class Owner:
    """Has a site for digits: LiteRT for devices with threads, ONNX Runtime for the others."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        labels = "".join(f"digit {name}\n" for name in own_sites.GLYPHS)
        made = own_sites.make(
            folder / "digits", "label", own_sites.digits(SIDE), labels=labels, title="Digits"
        )
        self._folder = folder
        self._recipe = next((made.parent / "models").iterdir())
        self._write("1.0.0")
        recipe = Recipe.load(self._recipe)
        variants = [
            Variant("fast", "litert", "model.tflite", Session("all"), needs=("threads",)),
            Variant("plain", "onnxruntime", "model.onnx", Session("basic")),
        ]
        artefact.keep(
            recipe, recipe.made_from, list(zip(variants, self._files("1.0.0"), strict=True))
        )
        self.site = load(made)
        self.dist = folder / "dist"
        bundle.build(self.site, self.dist)

    @property
    def model(self) -> str:
        """The model's id."""
        return self.site.models[0].id

    def release(self, version: str) -> None:
        """Publish a version, surer of itself, for both engines."""
        self._write(version, strength=2.0)
        commands.release(
            self.site,
            self.model,
            version=version,
            changelog="Surer.",
            files=self._files(version),
        )
        source.copy(source.locate(self.site, None), self.dist / "models")

    def _files(self, version: str) -> tuple[Path, Path]:
        return self._folder / f"{version}.tflite", self._folder / f"{version}.onnx"

    def _write(self, version: str, strength: float = 1.0) -> None:
        lite, plain = self._files(version)
        lite.write_bytes(tflite(strength))
        digits = own_sites.digits(SIDE)
        (weights,) = digits.graph.initializer
        scaled = onnx.numpy_helper.to_array(weights) * np.float32(strength)
        weights.CopyFrom(onnx.numpy_helper.from_array(scaled, weights.name))
        onnx.save(with_interface(digits, Recipe.load(self._recipe)), plain)


class Isolation:
    """Wraps a host: leaves out the headers that isolate pages, as long as somebody wants that.

    And gives no model files, as long as somebody wants that.
    """

    def __init__(self) -> None:
        self.isolates = True
        self.gives_models = True

    def __call__(self, served):
        async def answer(scope, receive, send):
            if "/models/blobs/" in scope.get("path", "") and not self.gives_models:
                await send({"type": "http.response.start", "status": 503, "headers": []})
                await send({"type": "http.response.body", "body": b""})
            else:
                await served(scope, receive, self._bare(send))

        return answer

    def _bare(self, send):
        async def sent(message):
            if message["type"] == "http.response.start" and not self.isolates:
                kept = [
                    pair
                    for pair in message["headers"]
                    if pair[0].lower() != b"cross-origin-opener-policy"
                ]
                message = {**message, "headers": kept}
            await send(message)

        return sent
