"""Networks of each family, small enough for tests that take milliseconds."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from satchel_models import bert
from satchel_models.steps import Converted, Feeds, Spec

WIDTH, WORDS, PLACES = 32, 1100, 16


class Weights:
    """Random tensors, and the initializers that they become."""

    def __init__(self, seed: int = 0) -> None:
        self.generator = np.random.default_rng(seed)
        self.tensors: list[onnx.TensorProto] = []

    def __call__(self, name: str, *shape: int, scale: float = 0.3) -> str:
        return self.fixed(name, self.generator.normal(0, scale, shape).astype(np.float32))

    def fixed(self, name: str, values: np.ndarray) -> str:
        self.tensors.append(numpy_helper.from_array(values, name))
        return name


def model(nodes, inputs, outputs, weights: Weights, opset: int = 18) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
        weights.tensors,
    )
    imports = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def convolutional(opset: int = 18, side: int | str = "side") -> onnx.ModelProto:
    """As an exporter leaves it: identity, nop transpose, batch norm, bias as an Add."""
    w = Weights(1)
    for n, low in (("gamma", 0.5), ("beta", 0), ("mean", 0), ("var", 0.5)):
        w.fixed(n, (low + np.abs(w.generator.normal(0, 0.5, 16))).astype(np.float32))
    nodes = [
        helper.make_node("Identity", ["image"], ["same"]),
        helper.make_node("Transpose", ["same"], ["still"], perm=[0, 1, 2, 3]),
        helper.make_node("Conv", ["still", w("stem", 16, 3, 3, 3)], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node(
            "BatchNormalization", ["c1", "gamma", "beta", "mean", "var"], ["n1"], epsilon=1e-3
        ),
        helper.make_node("Relu", ["n1"], ["r1"]),
        helper.make_node("Conv", ["r1", w("wide", 40, 16, 3, 3)], ["c2"], pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["c2", w("bias", 1, 40, 1, 1)], ["b2"]),
        helper.make_node("Relu", ["b2"], ["r2"]),
        helper.make_node("GlobalAveragePool", ["r2"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node(
            "Gemm", ["flat", w("head", 150, 40), w("offset", 150)], ["logits"], transB=1
        ),
    ]
    inputs = {"image": ["batch", 3, side, side]}
    return model(nodes, inputs, {"logits": ["batch", 150]}, w, opset)


def recurrent() -> onnx.ModelProto:
    """An LSTM over [time, batch, 16], then a product."""
    w = Weights(2)
    nodes = [
        helper.make_node(
            "LSTM",
            ["frames", w("w", 1, 96, 16), w("r", 1, 96, 24), w("b", 1, 192)],
            ["all", "last", "cell"],
            hidden_size=24,
        ),
        helper.make_node("Squeeze", ["last", "axes"], ["state"]),
        helper.make_node("MatMul", ["state", w("out", 24, 20)], ["scores"]),
    ]
    w.fixed("axes", np.array([0], np.int64))
    return model(nodes, {"frames": ["time", 2, 16]}, {"scores": [2, 20]}, w)


def transformer() -> onnx.ModelProto:
    """A BERT of one layer."""
    w = Weights(3)
    g = w.generator

    def some(*shape: int) -> np.ndarray:
        return g.normal(0, 0.3, shape).astype(np.float32)

    weights = {
        "embeddings.word_embeddings.weight": some(WORDS, WIDTH),
        "embeddings.position_embeddings.weight": some(PLACES, WIDTH),
        "embeddings.token_type_embeddings.weight": some(2, WIDTH),
    }
    layer = "encoder.layer.0"
    linears = {
        **{f"{layer}.attention.self.{part}": (WIDTH, WIDTH) for part in ("query", "key", "value")},
        f"{layer}.attention.output.dense": (WIDTH, WIDTH),
        f"{layer}.intermediate.dense": (4 * WIDTH, WIDTH),
        f"{layer}.output.dense": (WIDTH, 4 * WIDTH),
    }
    for name, shape in linears.items():
        weights |= {f"{name}.weight": some(*shape), f"{name}.bias": some(shape[0])}
    for part in ("attention.output.LayerNorm", "output.LayerNorm"):
        name = f"{layer}.{part}"
        weights |= {f"{name}.weight": 1 + some(WIDTH), f"{name}.bias": some(WIDTH)}
    name = "embeddings.LayerNorm"
    weights |= {f"{name}.weight": 1 + some(WIDTH), f"{name}.bias": some(WIDTH)}
    return bert.Encoder(weights, bert.Dimensions(1, 4, WIDTH, 1e-12), PLACES).sentences()


def images(count: int = 4, side: int = 12, seed: int = 5) -> list[Feeds]:
    generator = np.random.default_rng(seed)
    shape = (1, 3, side, side)
    return [{"image": generator.normal(0, 1, shape).astype(np.float32)} for _ in range(count)]


def texts(count: int = 4, seed: int = 6) -> list[Feeds]:
    generator = np.random.default_rng(seed)
    lengths = generator.integers(3, PLACES, count)
    ids = [generator.integers(0, WORDS, (1, length)) for length in lengths]
    return [{"input_ids": i, "attention_mask": np.ones_like(i)} for i in ids]


def frames(count: int = 4, seed: int = 7) -> list[Feeds]:
    generator = np.random.default_rng(seed)
    return [
        {"frames": generator.normal(0, 1, (5 + k, 2, 16)).astype(np.float32)} for k in range(count)
    ]


def converted(graph: onnx.ModelProto, folder: Path) -> Converted:
    """A graph as step 1 hands it over."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "original.onnx"
    onnx.save(graph, file)
    opset = next(o.version for o in graph.opset_import if not o.domain)
    inputs, outputs = (
        tuple(
            Spec(
                value.name,
                np.dtype(helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)).name,
                tuple(d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim),
            )
            for value in values
        )
        for values in (graph.graph.input, graph.graph.output)
    )
    return Converted(file, "ONNX", inputs, outputs, opset, len(graph.graph.node))


def silent(what: str, share: float | None) -> None:
    """Progress that nobody reads."""
