"""A small convolutional classifier of photos, and photos that it mostly gets right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

SIDE, CLASSES = 32, 10


def model(path: Path, seed: int = 0) -> Path:
    """Write the classifier: float32 [batch, 3, 32, 32], 0 … 1, to logits [batch, 10]."""
    generator = np.random.default_rng(seed)
    constants: list[onnx.TensorProto] = []
    nodes = []

    def weight(name: str, *shape: int) -> str:
        values = generator.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)
        constants.append(numpy_helper.from_array(values, name))
        return name

    before = "photo"
    for number, (into, out) in enumerate(((3, 32), (32, 64), (64, 128))):
        nodes += [
            helper.make_node(
                "Conv", [before, weight(f"w{number}", out, into, 3, 3)], [f"c{number}"],
                strides=[2, 2], pads=[1, 1, 1, 1],
            ),
            helper.make_node("Relu", [f"c{number}"], [f"r{number}"]),
        ]  # fmt: skip
        before = f"r{number}"
    nodes += [
        helper.make_node("GlobalAveragePool", [before], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", weight("head", CLASSES, 128)], ["logits"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", CLASSES])],
        constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path.write_bytes(made.SerializeToString())
    return path


def photos(folder: Path, classifier: Path, count: int = 120, seed: int = 1) -> Path:
    """Write noise with `labels.csv`: what the classifier says of it, one in five another class."""
    import onnxruntime

    session = onnxruntime.InferenceSession(classifier, providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(seed)
    folder.mkdir()
    lines = ["file,class_index"]
    for number in range(count):
        coarse = generator.integers(0, 256, (4, 4, 3), np.uint8)
        image = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        image.save(folder / f"{number}.png")
        pixels = np.asarray(image, np.float32).transpose(2, 0, 1)[None] / 255
        said = int(session.run(None, {"photo": pixels})[0].argmax())
        lines.append(f"{number}.png,{said if number % 5 else (said + 1) % CLASSES}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder
