"""Small models: sound ones of 2.2 MB, and each kind of file that a maker may release by mistake."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

WIDTH, MIDDLE, CLASSES = 64, 2400, 170

X = np.random.default_rng(7).standard_normal((1, WIDTH)).astype(np.float32)
"""What every check asks the active version."""


def sound(seed: int, *, output: str = "y", kind: int = TensorProto.FLOAT, classes: int = CLASSES,
          spoil: Callable[[np.ndarray], None] = len, name: str = "x") -> bytes:  # fmt: skip
    """x·A·B: 2.2 MB in a dozen chunks, of which B, three quarters, differs with the seed."""
    a = np.random.default_rng(0).standard_normal((WIDTH, MIDDLE)).astype(np.float32) / 8
    b = np.random.default_rng(seed).standard_normal((MIDDLE, classes)).astype(np.float32) / 50
    spoil(b)
    nodes = [
        helper.make_node("MatMul", [name, "a"], ["h"]),
        helper.make_node("MatMul", ["h", "b"], ["z"]),
        helper.make_node("Cast", ["z"], [output], to=kind),
    ]
    return _model(nodes, [numpy_helper.from_array(a, "a"), numpy_helper.from_array(b, "b")],
                  helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, WIDTH]),
                  helper.make_tensor_value_info(output, kind, [1, classes]))  # fmt: skip


def _model(nodes, initializers, x, y, domain: str = "") -> bytes:
    graph = helper.make_graph(nodes, "faults", [x], [y], initializers)
    imports = [helper.make_opsetid("", 17)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    made: bytes = helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString()
    return made


def _interface():
    return (
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, WIDTH]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, CLASSES]),
    )


def hanging() -> bytes:
    """Multiplies for longer than anyone lives."""
    size = [192, 192]
    info = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["m", "weights"], ["m_next"]),
            helper.make_node("Identity", ["go"], ["go_next"]),
        ],
        "body",
        [info("i", TensorProto.INT64, []), info("go", TensorProto.BOOL, []),
         info("m", TensorProto.FLOAT, size)],
        [info("go_next", TensorProto.BOOL, []), info("m_next", TensorProto.FLOAT, size)],
    )  # fmt: skip
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], keepdims=0),
        helper.make_node("Add", ["weights", "mean"], ["start"]),
        helper.make_node("Loop", ["times", "always", "start"], ["last"], body=body),
        helper.make_node("ReduceSum", ["last"], ["total"], keepdims=0),
        helper.make_node("Add", ["answer", "total"], ["y"]),
    ]
    constants = {
        "weights": np.eye(192, dtype=np.float32),
        "times": np.array(2**60, np.int64),
        "always": np.array(True),
        "answer": np.zeros((1, CLASSES), np.float32),
    }
    made = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    return _model(nodes, made, *_interface())


def greedy() -> bytes:
    """Wants 64 GB."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["total"], keepdims=0),
        helper.make_node("ReduceSum", ["x"], ["some"], keepdims=0),
        helper.make_node("Mul", ["total", "some"], ["more"]),
        helper.make_node("Add", ["answer", "more"], ["y"]),
    ]
    # Computed at run time: a constant shape would be folded when the file is loaded.
    nodes[:0] = [
        helper.make_node("Shape", ["x"], ["dims"]),
        helper.make_node("Mul", ["dims", "large"], ["shape"]),
    ]
    constants = {
        "large": np.array([2**28, 1], np.int64),
        "answer": np.zeros((1, CLASSES), np.float32),
    }
    made = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    return _model(nodes, made, *_interface())


def unknown() -> bytes:
    """Uses an operator that no engine has."""
    node = helper.make_node("Levitate", ["x"], ["y"], domain="org.example")
    return _model([node], [], *_interface(), domain="org.example")


def _some_nan(b: np.ndarray) -> None:
    b[0] = np.nan


def answers(model: bytes) -> np.ndarray:
    """What a sound file gives for `X`."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": X})[0]


FIRST, SECOND, THIRD = sound(1), sound(2), sound(3)
JUNK = np.random.default_rng(9).bytes(300_000)

HOSTILE: dict[str, bytes] = {
    "not_onnx": JUNK,
    "cut_short_by_its_maker": SECOND[: len(SECOND) // 2],
    "unknown_operator": unknown(),
    "input_renamed": sound(2, name="image"),
    "output_renamed": sound(2, output="scores"),
    "wrong_shape": sound(2, classes=CLASSES - 1),
    "wrong_dtype": sound(2, kind=TensorProto.DOUBLE),
    "not_finite": sound(2, spoil=_some_nan),
    "other_answers": sound(4),
    "hangs": hanging(),
    "out_of_memory": greedy(),
}
"""Files under whose golden set `SECOND` was meant to be released."""
