"""Which passes a level runs, in order. Each level has all of the one before.

fast: the named passes of the design, and what the engine itself does ahead of time. balanced: what
exporters leave behind is folded and removed, too (silero-vad: 108 → 72 nodes, 30 % fewer bytes),
and what the engine's WASM build runs slowly is said in operators that it runs fast. aggressive:
also what changes numbers a little (MiniLM with approximate GELU: 4 % less time in a browser). More
passes of onnxoptimizer than the named ones were tried: after onnxslim they change nothing. More
rewrites for WASM were tried, too: docs/benchmarks/ort-graph-rewrites.md says what they gave.
"""

from collections.abc import Callable
from dataclasses import dataclass

import onnx

from satchel_models.passes import activations, positions, transforms
from satchel_models.passes.transforms import Transform
from satchel_models.results import Level

EXACT = 1e-4
"""What a pass that only reorders float32 arithmetic may move an output by, relative to its largest
value; 5e-6 is usual."""

NEAR = 1e-2
"""The same for a pass whose own error is far below what storing weights as int8 brings; texts read
by PP-OCR move by 4e-3."""

APPROXIMATE = 2e-2
"""The same for a pass that approximates."""


@dataclass(frozen=True)
class Planned:
    """A pass of a level.

    Attributes:
        name: In reports.
        transform: What it does.
        tolerance: What it may move an output by, relative to the largest.
        fuses: Whether it writes operators of the engine's own.
        needed: Whether it is worth a line in the report.
    """

    name: str
    transform: Transform
    tolerance: float = EXACT
    fuses: bool = False
    needed: Callable[[onnx.ModelProto], bool] = lambda _: True


_READY = (Planned("inline-functions", transforms.inlined, needed=transforms.has_functions),)
_NAMED = tuple(
    Planned(name, transforms.optimizer(name))
    for name in (
        "eliminate_identity",
        "eliminate_nop_transpose",
        "fuse_bn_into_conv",
        "fuse_add_bias_into_conv",
    )
)
_SLIM = Planned("onnxslim", transforms.slimmed)
_SWIFT = (
    Planned("hard-swish", activations.hard_swish, needed=transforms.has("Clip")),
    Planned("mean-pooling", positions.mean_pooling, needed=transforms.has("ReduceMean")),
    Planned("convolutions-as-products", positions.products, needed=transforms.has("Conv")),
)
_BASIC = Planned("onnxruntime-basic", transforms.basic)
_EXTENDED = Planned("onnxruntime-extended", transforms.extended, fuses=True)
GELU = Planned("gelu-approximation", transforms.gelu_approximated, APPROXIMATE, fuses=True)
SIGMOID = Planned(
    "gelu-by-sigmoid",
    activations.gelu_by_sigmoid,
    NEAR,
    fuses=True,
    needed=transforms.has("Gelu", "BiasGelu"),
)
_CANONICAL = Planned("canonical", transforms.canonical, fuses=True)

PLANS: dict[Level, tuple[Planned, ...]] = {
    "fast": (*_READY, *_NAMED, _BASIC, _EXTENDED, _CANONICAL),
    "balanced": (*_READY, *_NAMED, _SLIM, *_SWIFT, _BASIC, _EXTENDED, SIGMOID, _CANONICAL),
    "aggressive": (*_READY, *_NAMED, _SLIM, *_SWIFT, _BASIC, _EXTENDED, GELU, SIGMOID, _CANONICAL),
}
