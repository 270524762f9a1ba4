"""Writes the models and images of the engine's tests; runs on CPython only.

python tests/engine/fixtures.py FOLDER
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import litert_models
import numpy as np
import onnx
import trust_repositories
import update_repositories
from onnx import TensorProto, helper
from PIL import Image
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from satchel import chunks, golden

OPSET = 17
IR_VERSION = 8

ELEMENT_TYPES = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "float64": TensorProto.DOUBLE,
    "int8": TensorProto.INT8,
    "int16": TensorProto.INT16,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "uint8": TensorProto.UINT8,
    "uint16": TensorProto.UINT16,
    "uint32": TensorProto.UINT32,
    "uint64": TensorProto.UINT64,
    "bool": TensorProto.BOOL,
    "string": TensorProto.STRING,
}

Shape = Sequence[int | str | None] | None


def value(name: str, kind: str, shape: Shape) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, ELEMENT_TYPES[kind], shape)


def model(nodes, inputs, outputs, initializers=(), opsets=(("", OPSET),)) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "test", inputs, outputs, list(initializers))
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets]
    return helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION)


def identity(kind: str) -> onnx.ModelProto:
    """Gives back what it takes."""
    shape = ["rows", "columns"]
    node = helper.make_node("Identity", ["x"], ["y"])
    return model([node], [value("x", kind, shape)], [value("y", kind, shape)])


def several() -> onnx.ModelProto:
    """a + b and a - b, the first axis dynamic."""
    shape = ["batch", 3]
    return model(
        [
            helper.make_node("Add", ["a", "b"], ["sum"]),
            helper.make_node("Sub", ["a", "b"], ["difference"]),
        ],
        [value("a", "float32", shape), value("b", "float32", shape)],
        [value("sum", "float32", shape), value("difference", "float32", shape)],
    )


def fixed() -> onnx.ModelProto:
    """relu of [2, 3]."""
    node = helper.make_node("Relu", ["x"], ["y"])
    return model([node], [value("x", "float32", [2, 3])], [value("y", "float32", [2, 3])])


def scalar() -> onnx.ModelProto:
    """Twice a scalar."""
    node = helper.make_node("Add", ["x", "x"], ["y"])
    return model([node], [value("x", "float32", [])], [value("y", "float32", [])])


def unnamed() -> onnx.ModelProto:
    """relu of [?, 2], the dynamic axis without a name."""
    node = helper.make_node("Relu", ["x"], ["y"])
    return model([node], [value("x", "float32", [None, 2])], [value("y", "float32", [None, 2])])


def hungry() -> onnx.ModelProto:
    """Zeros of the shape it is asked for: asks for as much memory as a test wants."""
    node = helper.make_node("ConstantOfShape", ["shape"], ["zeros"])
    total = helper.make_node("ReduceSum", ["zeros"], ["y"], keepdims=0)
    return model([node, total], [value("shape", "int64", ["rank"])], [value("y", "float32", [])])


def slow() -> onnx.ModelProto:
    """Multiplies a matrix with itself `times` times."""
    size = [192, 192]
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["m", "weights"], ["m_next"]),
            helper.make_node("Identity", ["go"], ["go_next"]),
        ],
        "body",
        [value("i", "int64", []), value("go", "bool", []), value("m", "float32", size)],
        [value("go_next", "bool", []), value("m_next", "float32", size)],
    )
    weights = onnx.numpy_helper.from_array(np.eye(192, dtype=np.float32), "weights")
    go = onnx.numpy_helper.from_array(np.array(True), "always")
    loop = helper.make_node("Loop", ["times", "always", "weights"], ["last"], body=body)
    first = helper.make_node("ReduceSum", ["last"], ["y"], keepdims=0)
    return model(
        [loop, first], [value("times", "int64", [])], [value("y", "float32", [])], [weights, go]
    )


def unknown_operator() -> onnx.ModelProto:
    """An operator that no engine has."""
    node = helper.make_node("Levitate", ["x"], ["y"], domain="org.example")
    shape = ["n"]
    return model(
        [node],
        [value("x", "float32", shape)],
        [value("y", "float32", shape)],
        opsets=(("", OPSET), ("org.example", 1)),
    )


def sequence() -> onnx.ModelProto:
    """Takes a sequence, which is no tensor."""
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, ["n"]))
    node = helper.make_node("SequenceLength", ["s"], ["y"])
    return model([node], [helper.make_value_info("s", kind)], [value("y", "int64", [])])


def colours() -> onnx.ModelProto:
    """A classifier of three classes: how red, green and blue an image is on the whole."""
    nodes = [
        helper.make_node("Cast", ["image"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["f"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Softmax", ["mean"], ["probabilities"], axis=1),
    ]
    return model(
        nodes,
        [value("image", "uint8", ["batch", "height", "width", 3])],
        [value("probabilities", "float32", ["batch", 3])],
    )


SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WIDTH = 8


def bag() -> onnx.ModelProto:
    """A sentence encoder: how often a text has ids of each remainder by eight, as a direction."""
    nodes = [
        helper.make_node("Mod", ["input_ids", "width"], ["rest"]),
        helper.make_node("OneHot", ["rest", "width", "values"], ["hot"], axis=-1),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "second"], ["rows"]),
        helper.make_node("MatMul", ["rows", "hot"], ["total"]),
        helper.make_node("Squeeze", ["total", "second"], ["flat"]),
        helper.make_node("LpNormalization", ["flat"], ["embedding"], axis=-1, p=2),
    ]
    constants = {
        "width": np.array(WIDTH, np.int64),
        "values": np.array([0, 1], np.float32),
        "second": np.array([1], np.int64),
    }
    names = ("input_ids", "attention_mask")
    return model(
        nodes,
        [value(name, "int64", ["batch", "sequence"]) for name in names],
        [value("embedding", "float32", ["batch", WIDTH])],
        [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()],
    )


def texts() -> list[str]:
    """The committed corpus, and what a text file cannot hold."""
    lines = Path(__file__).with_name("corpus.txt").read_text("utf-8").split("\n")
    nasty = ["a\rb\nc\td\x0be\x0cf\x00g\x1ch\x85i\u2028j\u2029k\ufffdl\ue000m", "é" * 101, " " * 9]
    return [*lines, *nasty, " ".join(lines), "word, " * 3000]


def vocabulary() -> list[str]:
    """Characters of the corpus, alone and inside words, and some of its words."""
    normal = normalizers.BertNormalizer()
    split = pre_tokenizers.BertPreTokenizer()
    words = [
        word for line in texts() for word, _ in split.pre_tokenize_str(normal.normalize_str(line))
    ]
    characters = sorted(set(itertools.chain.from_iterable(words)))
    pieces = [f"##{character}" for character in characters]
    return list(dict.fromkeys([*SPECIAL, *characters, *pieces, *words[::2], "##ing", "##able"]))


def hugging_face(tokens: Sequence[str], max_tokens: int) -> Tokenizer:
    """The tokenizer that ours must equal."""
    ids = {token: number for number, token in enumerate(tokens)}
    reference = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    reference.normalizer = normalizers.BertNormalizer()
    reference.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    reference.add_special_tokens(list(SPECIAL))
    reference.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(name, ids[name]) for name in ("[CLS]", "[SEP]")],
    )
    reference.enable_truncation(max_tokens)
    return reference


def tokenizer_text(tokens: Sequence[str], max_tokens: int) -> str:
    """The same as a model's file."""
    settings = {"special": SPECIAL, "max_tokens": max_tokens}
    return "\n".join([json.dumps(settings), *tokens]) + "\n"


def write_texts(folder: Path, max_tokens: int = 256) -> None:
    """A vocabulary, texts of many scripts, and their ids by Hugging Face's tokenizer."""
    tokens = vocabulary()
    reference = hugging_face(tokens, max_tokens)
    (folder / "tokenizer.txt").write_text(tokenizer_text(tokens, max_tokens), "utf-8", newline="\n")
    ids = [[text, reference.encode(text).ids] for text in texts()]
    (folder / "tokenized.json").write_text(json.dumps(ids))


def write(folder: Path) -> None:
    """Write everything into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    models = {f"identity-{kind}": identity(kind) for kind in ELEMENT_TYPES}
    for make in (
        several, fixed, scalar, unnamed, hungry, slow, unknown_operator, sequence, colours, bag,
    ):  # fmt: skip
        models[make.__name__] = make()
    for name, proto in models.items():
        (folder / f"{name}.onnx").write_bytes(proto.SerializeToString())
    litert_models.write(folder)
    (folder / "labels.txt").write_text("red\ngreen\nblue\n")
    (folder / "broken.mjs").write_text("throw new Error('It breaks down at once');\n")
    (folder / "noise.bin").write_bytes(random.Random(7).randbytes(1_500_000))
    write_images(folder)
    write_texts(folder)
    trust_repositories.write(folder / "trust")
    write_versions(folder)
    update_repositories.write(folder / "updates", folder)


SIDE = 512
CHUNK = 64 * 1024


def weights(seed: int, changed: int = 0) -> np.ndarray:
    """A square matrix; the last ``changed`` rows are others than in the same seed's without."""
    made = np.random.default_rng(seed).standard_normal((SIDE, SIDE)).astype(np.float32) / SIDE
    if changed:
        made[-changed:] += 0.01
    return made


def weighty(matrix: np.ndarray, output: str = "y") -> onnx.ModelProto:
    """x times a matrix: a megabyte, so that it comes in several chunks."""
    node = helper.make_node("MatMul", ["x", "w"], [output])
    initializer = onnx.numpy_helper.from_array(matrix, "w")
    side = matrix.shape[0]
    x, y = value("x", "float32", [1, side]), value(output, "float32", [1, matrix.shape[1]])
    return model([node], [x], [y], [initializer])


def weighty_lite(matrix: np.ndarray) -> bytes:
    """The same for LiteRT."""
    model = litert_models.Model()
    graph = model.graph()
    x, y = graph.tensor("x", [1, matrix.shape[0]]), graph.tensor("y", [1, matrix.shape[1]])
    w = graph.tensor("w", matrix.T.shape, data=matrix.T)
    graph.node(litert_models.Ops.FULLY_CONNECTED, [x, w, -1], [y], FullyConnectedOptions={})
    graph.ends([x], [y])
    return model.written()


def endless() -> onnx.ModelProto:
    """Has the interface of `weighty`, and does not answer within a lifetime."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["go"]),
            helper.make_node("Sin", ["before"], ["after"]),
        ],
        "body",
        [value("round", "int64", []), value("going", "bool", []), value("before", "float32", None)],
        [value("go", "bool", []), value("after", "float32", None)],
    )
    rounds = onnx.numpy_helper.from_array(np.array(2**60, np.int64), "rounds")
    go = onnx.numpy_helper.from_array(np.array(True), "go_on")
    node = helper.make_node("Loop", ["rounds", "go_on", "x"], ["y"], body=body)
    shape = [1, SIDE]
    return model(
        [node], [value("x", "float32", shape)], [value("y", "float32", shape)], [rounds, go]
    )


def write_versions(folder: Path) -> None:
    """Versions of one model, with their chunk indexes and golden sets; see versions.py."""
    matrices = {"one": weights(1), "two": weights(1, changed=64), "three": weights(3)}
    matrices |= {"four": weights(4), "five": weights(4, changed=64)}
    holes = weights(1)
    holes[0] = np.nan
    files = {name: weighty(matrix) for name, matrix in matrices.items()} | {
        "nan": weighty(holes),
        "renamed": weighty(matrices["one"], output="other"),
        "narrow": weighty(np.ascontiguousarray(matrices["one"][:, :100])),
        "endless": endless(),
        "unknown": unknown_operator(),
    }
    x = np.random.default_rng(9).standard_normal((1, SIDE)).astype(np.float32)
    data = {name: proto.SerializeToString() for name, proto in files.items()}
    for name in ("one", "two"):
        matrices[f"{name}-lite"] = matrices[name]
        data[f"{name}-lite"] = weighty_lite(matrices[name])
    data["junk"] = bytes(1000) + data["one"]
    for name, content in data.items():
        (folder / f"{name}.weighty").write_bytes(content)
        (folder / f"{name}.chunks").write_bytes(chunk_index(content))
        expected = x @ matrices.get(name, matrices["one"])
        case = golden.Case({"x": x}, {"y": expected})
        made = golden.GoldenSet(golden.Tolerance(0.999, 5), (case,))
        (folder / f"{name}.golden").write_bytes(golden.encode(made))


def chunk_index(content: bytes) -> bytes:
    """The index of chunks of one size: enough where nothing moves."""
    pieces = [content[start : start + CHUNK] for start in range(0, len(content), CHUNK)]
    return chunks.encode(
        chunks.Chunk(hashlib.sha256(piece).hexdigest(), k * CHUNK, len(piece))
        for k, piece in enumerate(pieces)
    )


def write_images(folder: Path) -> None:
    """Images whose colours tell how they were decoded."""
    for name, colour in (("red", (250, 10, 10)), ("blue", (10, 10, 250))):
        Image.new("RGB", (64, 48), colour).save(folder / f"{name}.png")
    # Lies on its side in the file: green on the left there, and on top where it is turned upright.
    turned = Image.new("RGB", (80, 40), (10, 10, 250))
    turned.paste((10, 250, 10), (0, 0, 40, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: rotate by 90° clockwise to show
    turned.save(folder / "turned.jpg", exif=exif, quality=95)
    Image.new("RGBA", (32, 32), (250, 10, 10, 0)).save(folder / "transparent.png")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
