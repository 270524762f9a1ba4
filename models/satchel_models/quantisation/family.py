"""What kind of network a graph is: it decides which candidates are worth a try."""

from collections import Counter
from typing import Literal

import numpy as np
import onnx

from satchel_models.graph import graphs

Family = Literal["convolutional", "transformer", "recurrent", "other"]

_CONVOLUTIONS = {"Conv", "ConvTranspose", "FusedConv"}
_PRODUCTS = {"MatMul", "Gemm", "FusedMatMul", "FusedGemm", "Attention"}
_RECURRENT = {"LSTM", "GRU", "RNN"}
_NORMALISATIONS = {
    "LayerNormalization",
    "SkipLayerNormalization",
    "SimplifiedLayerNormalization",
    "SkipSimplifiedLayerNormalization",
    "RMSNormalization",
}
_ATTENTION = {"Attention", "MultiHeadAttention", "GroupQueryAttention"}


def family(model: onnx.ModelProto) -> Family:
    """The kind of a network, by where its weights are.

    A network with recurrent layers is recurrent; one with most weights in convolutions is
    convolutional; one with most weights in products of matrices is a transformer if it attends
    (products of activations, a softmax) or normalises layers.
    """
    weights = _weights(model)
    kinds = {node.op_type for graph in graphs(model.graph) for node in graph.node}
    if kinds & _RECURRENT:
        return "recurrent"
    convolved = sum(weights[kind] for kind in _CONVOLUTIONS)
    multiplied = sum(weights[kind] for kind in _PRODUCTS)
    if convolved and convolved >= multiplied:
        return "convolutional"
    attends = bool(kinds & _ATTENTION) or ("Softmax" in kinds and _multiplies_activations(model))
    if multiplied and (attends or kinds & _NORMALISATIONS):
        return "transformer"
    return "convolutional" if convolved else "other"


def operators(model: onnx.ModelProto) -> set[str]:
    """Kinds of operators in a graph; what its nodes hold is not looked at, quantisers don't."""
    return {node.op_type for node in model.graph.node}


def _weights(model: onnx.ModelProto) -> Counter[str]:
    """How many constant numbers each kind of operator uses."""
    found: Counter[str] = Counter()
    for graph in graphs(model.graph):
        sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in graph.initializer}
        for node in graph.node:
            found[node.op_type] += sum(sizes.get(name, 0) for name in node.input)
    return found


def _multiplies_activations(model: onnx.ModelProto) -> bool:
    for graph in graphs(model.graph):
        constants = {tensor.name for tensor in graph.initializer}
        for node in graph.node:
            if node.op_type in ("MatMul", "FusedMatMul") and not set(node.input) & constants:
                return True
    return False
