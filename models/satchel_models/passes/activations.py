"""Activations that the engine's WASM build runs slowly, said in operators that it runs fast.

Each is a vector of arithmetic away from its twin, and several times as fast: what the build has no
vectors for, or a long way round (docs/benchmarks/ort-graph-rewrites.md has the figures).
"""

import numpy as np
import onnx

from satchel_models.passes.editing import Edit, rewritten

GELU = (1.5950157685490347, 0.0740112920628393, -0.0007030335797900677)
"""x · sigmoid(a x + b x³ + c x⁵) differs from GELU by 2.5e-5 at most, 19 times less than its usual
approximation by tanh; fitted by minimising the largest difference."""


def hard_swish(model: onnx.ModelProto) -> onnx.ModelProto:
    """Hard sigmoid and hard swish by one operator instead of Add, Clip and Div.

    Howard et al. 2019, Searching for MobileNetV3, 5.2 (https://arxiv.org/abs/1905.02244). Exact.
    """
    return rewritten(model, _hard)


def gelu_by_sigmoid(model: onnx.ModelProto) -> onnx.ModelProto:
    """GELU without the error function, by a sigmoid of a polynomial: see `GELU`."""
    return rewritten(model, _gelu)


def _hard(edit: Edit, node: onnx.NodeProto) -> bool:
    """X · clip(x + 3, 0, 6) / 6, and clip(x + 3, 0, 6) / 6 by itself."""
    if node.op_type not in ("Div", "Mul"):
        return False
    for inner, by in zip(node.input, reversed(node.input), strict=True):
        divisor = _divisor(edit, node, by)
        if divisor is None:
            continue
        if (x := _clipped(edit, inner, divisor)) is not None:
            _hard_sigmoid(edit, x, divisor, to=node.output[0])
            return True
        product = edit.made_by(inner, "Mul")
        if product is None or edit.only_reader(inner) is None:
            continue
        for gate, x in zip(product.input, reversed(product.input), strict=True):
            if _clipped(edit, gate, divisor) == x:
                edit.write("Mul", x, _hard_sigmoid(edit, x, divisor), to=node.output[0])
                return True
    return False


def _divisor(edit: Edit, node: onnx.NodeProto, by: str) -> float | None:
    """What a node divides by, `by` being its constant."""
    number = edit.number(by)
    if node.op_type == "Div":
        return number if by == node.input[1] and number else None
    return 1 / number if number else None


def _clipped(edit: Edit, name: str, divisor: float) -> str | None:
    """X where a value is clip(x + 3, 0, 6) and so becomes 0 … 1 by this divisor."""
    clip = edit.made_by(name, "Clip")
    if clip is None or len(clip.input) != 3:
        return None
    low, high = (edit.number(bound) for bound in clip.input[1:])
    total = edit.made_by(clip.input[0], "Add")
    if total is None or low != 0 or high != 6 or not np.isclose(divisor, 6, rtol=1e-6):
        return None
    given = [str(name) for name in total.input]
    return next((given[1 - k] for k in (0, 1) if edit.number(given[k]) == 3), None)


def _hard_sigmoid(edit: Edit, x: str, divisor: float, to: str = "") -> str:
    return edit.write("HardSigmoid", x, to=to, alpha=1 / divisor, beta=0.5)


def _gelu(edit: Edit, node: onnx.NodeProto) -> bool:
    approximate = edit.attributes(node).get("approximate", b"none")
    if node.op_type not in ("Gelu", "BiasGelu") or approximate != b"none":
        return False
    a, b, c = GELU
    x = node.input[0]
    if node.op_type == "BiasGelu":
        x = edit.write("Add", *node.input)
    square = edit.write("Mul", x, x)
    # An affine function that doesn't pass zero: far out, the polynomial must not turn round.
    high = edit.write("HardSigmoid", square, alpha=c, beta=b)
    slope = edit.write(
        "Add", edit.write("Mul", square, high), edit.constant(np.array(a, np.float32))
    )
    gate = edit.write("Sigmoid", edit.write("Mul", x, slope))
    edit.write("Mul", x, gate, to=node.output[0])
    return True
