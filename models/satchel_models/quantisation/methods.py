"""How candidates are made. Each takes the workshop, gives a graph and how the engine loads it.

The order is always the same: tables of embeddings first (they are standard operators), then
products in whole numbers, then the engine's own fusions, and last the weights that are left: the
fusions would unpack them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import onnx

from satchel_models import graph as graphs
from satchel_models.errors import UnsuitableError
from satchel_models.passes import transforms
from satchel_models.quantisation import blocks, embeddings, products, sensitivity, storage
from satchel_models.quantisation.family import Family, operators
from satchel_models.quantisation.products import Calibration
from satchel_models.quantisation.storage import Kind, Packer, Rule, Weight
from satchel_models.recipe import Session
from satchel_models.steps import Feeds, Sensitivity

AS_IT_IS = Session("disabled")
"""For a graph that is ready: there is nothing left to optimise, only time to lose."""

UNPACKED = Session("basic", dict(graphs.FOLDED))
"""For weights that are stored small: "basic" gives them back as float32 while loading."""

WHOLE = Session("all")
"""For convolutions in int8: the engine lays them out at load, which gains 6 % in a browser."""

SMALL = 12_000
"""Numbers of a tensor that float16 costs next to nothing: the stem and depthwise layers have
fewer, and suffer most from int8."""

SHARE = 400
"""One part in so many of all the numbers is such a tensor where a network is smaller or larger."""

REST = 4096
"""Numbers of another tensor (positions, say) that is worth float16."""

CALIBRATED = {"minmax": 32, "entropy": 16, "percentile": 16}
"""Inputs that calibrate, at most; histograms of activations are slow."""

_INNER = ("MatMul", "Gemm", "Conv", "ConvTranspose")
_RECURRENT = ("LSTM",)


@dataclass(frozen=True)
class Workshop:
    """What candidates are made of.

    Attributes:
        plain: The float32 graph of ONNX's own operators.
        fused: The same with the engine's fusions.
        refused: Gives another graph the same fusions.
        family: Its kind.
        packer: Makes int8 of a weight.
        feeds: Inputs for calibration, so many at most.
        sensitivities: What single weights cost.
    """

    plain: onnx.ModelProto
    fused: onnx.ModelProto
    refused: Callable[[onnx.ModelProto], onnx.ModelProto]
    family: Family
    packer: Packer
    feeds: Callable[[int], Sequence[Feeds]]
    sensitivities: Sequence[Sensitivity] = ()


@dataclass(frozen=True)
class Made:
    """A candidate's graph.

    Attributes:
        model: The graph.
        session: How the engine loads it.
        calibration: Inputs that calibrated it.
        notes: A sentence each.
    """

    model: onnx.ModelProto
    session: Session
    calibration: int = 0
    notes: tuple[str, ...] = field(default=())


def float16_weights(shop: Workshop) -> Made:
    """Every weight as float16."""
    return _stored(shop, "float16", storage.halves)


def int8_weights(shop: Workshop) -> Made:
    """Weights of layers and tables as int8."""
    return _stored(shop, "int8", _rule(0))


def int8_float16_weights(shop: Workshop) -> Made:
    """The same, small tensors as float16."""
    return _stored(shop, "int8", _rule(SMALL))


def int8_sensitive_weights(shop: Workshop) -> Made:
    """The same, tensors as float16 that suffer most by measurement."""
    if not any(item.kept for item in shop.sensitivities):
        raise UnsuitableError("No weight is so sensitive that float16 would pay.")
    return _stored(shop, "int8", _with_rest(sensitivity.rule(shop.sensitivities)))


def int8_dynamic(shop: Workshop) -> Made:
    """Products of matrices in uint8, other weights stored small."""
    return _dynamic(shop, ("MatMul", *_RECURRENT), "int8")


def int8_dynamic_float16(shop: Workshop) -> Made:
    """The same, tables as float16."""
    if not embeddings.tables(shop.plain.graph):
        raise UnsuitableError("The graph has no table of embeddings.")
    return _dynamic(shop, ("MatMul", *_RECURRENT), "float16")


def int8_dynamic_conv(shop: Workshop) -> Made:
    """Products of matrices and convolutions in uint8."""
    if "Conv" not in operators(shop.plain):
        raise UnsuitableError("The graph has no convolution.")
    return _dynamic(shop, ("MatMul", "Conv", *_RECURRENT), "int8")


def int8_static(method: Calibration) -> Callable[[Workshop], Made]:
    """Computed in int8, activations' ranges calibrated by a method."""

    def make(shop: Workshop) -> Made:
        feeds = shop.feeds(CALIBRATED[method])
        if not feeds:
            raise UnsuitableError("There are no inputs to calibrate with; give some by --data.")
        if not set(_INNER) & operators(shop.plain):
            raise UnsuitableError("The graph has no layer that has an int8 form.")
        model, _ = embeddings.stored(shop.plain, "int8")
        kinds = None if shop.family == "convolutional" else _INNER
        quantised = products.static(model, kinds, feeds, method)
        computed = graphs.optimised(quantised, "extended", {})
        # Only Cast is undone while loading: pairs of int8's operators are left for the engine.
        result, report = storage.stored(computed, storage.halves)
        ready = AS_IT_IS if report.float16 == 0 else Session("basic")
        return Made(result, WHOLE if shop.family == "convolutional" else ready, len(feeds))

    return make


def int4_weights(block: int) -> Callable[[Workshop], Made]:
    """Weights of products in blocks of 4 bits, others stored as int8."""

    def make(shop: Workshop) -> Made:
        model, _ = embeddings.stored(shop.plain, "int8")
        model, count = blocks.stored(model, block)
        if not count:
            raise UnsuitableError("The graph has no product by a constant matrix.")
        return _packed(shop, shop.refused(model), _rest(shop))

    return make


def _dynamic(shop: Workshop, kinds: Sequence[str], tables: Kind) -> Made:
    if not {*kinds, "Gemm"} & operators(shop.plain):
        raise UnsuitableError("The graph has no product of matrices.")
    model, _ = embeddings.stored(shop.plain, tables)
    quantised = products.dynamic(model, kinds)
    if not any("Integer" in kind or "Dynamic" in kind for kind in operators(quantised)):
        raise UnsuitableError("No product in the graph has a constant factor.")
    return _packed(shop, shop.refused(quantised), _rest(shop))


def _stored(shop: Workshop, tables: Kind, rule: Rule) -> Made:
    model, count = embeddings.stored(shop.plain, tables)
    made = _packed(shop, shop.refused(model) if count else shop.fused, rule)
    if made.session is AS_IT_IS and not count:
        raise UnsuitableError("The graph has no weights that are worth storing small.")
    return made


def _packed(shop: Workshop, model: onnx.ModelProto, rule: Rule) -> Made:
    """The last step: what float32 weights are left are stored small."""
    if transforms.opset(model) < storage.OPSET:
        raise UnsuitableError(
            f"int8 weights need opset {storage.OPSET}, and the graph stays at "
            f"{transforms.opset(model)}. Export it with a later one."
        )
    result, report = storage.stored(model, rule, shop.packer)
    return Made(result, UNPACKED if report.int8 + report.float16 else AS_IT_IS)


def _rule(half_up_to: int) -> Rule:
    return _with_rest(storage.up_to(half_up_to))


def _rest(shop: Workshop) -> Rule:
    """What becomes of weights beside those that are computed with in whole numbers."""
    total = sum(weight.size for weight in storage.weights(shop.plain.graph).values())
    return _rule(total // SHARE)


def _with_rest(rule: Rule) -> Rule:
    """A rule that also stores large tensors as float16 that are no layer's weights."""

    def kind(weight: Weight) -> Kind:
        if weight.axis is None and weight.size >= REST and weight.half:
            return "float16"
        return rule(weight)

    return kind
