"""A BERT encoder for devices: weights in int8, products of int8 with int8.

Each linear layer measures the range of what it reads, rounds that to uint8 (one scale for the
tensor) and multiplies whole numbers; each output channel of a weight has a scale of its own.
Weights are uint8 around 128 rather than int8: processors without a dot product for bytes add up
pairs of uint8 × int8 in 16 bits, which overflow. The table of words is int8 too, a scale a row,
and stays so in memory: only the rows that are read become float32.

The operators are ONNX Runtime's fused ones (domain com.microsoft), a third as many as ONNX itself
needs, so that the graph is ready as it is: a browser loads it with its optimisations off.
"""

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from satchel_models.bert import HIDDEN, Encoder
from satchel_models.quantisation.embeddings import steps

MIDDLE = 128
"""The uint8 that stands for a weight of zero."""

FUSED = "com.microsoft"


class Int8Encoder(Encoder):
    """The encoder with ONNX Runtime's quantised and fused operators."""

    def embedded(self) -> str:
        """Words out of an int8 table with a scale for each row."""
        table = self.weights["embeddings.word_embeddings.weight"]
        step = steps(table)[:, None]
        rows = self.constant("words", np.rint(table / step).astype(np.int8))
        values = self.node("Cast", self.node("Gather", rows, "input_ids"), to=TensorProto.FLOAT)
        scale = self.node("Gather", self.constant("words.step", step), "input_ids")
        return self.node("Mul", values, scale)

    def mask(self) -> str:
        """As the fused attention wants it."""
        return self.node("Cast", "attention_mask", to=TensorProto.INT32)

    def attention(self, name: str, x: str, mask: str) -> str:
        """Query, key and value in one product, then the attention itself, in one operator."""
        layers = [self.layer(f"{name}.{part}") for part in ("query", "key", "value")]
        weight = np.concatenate([weight for weight, _ in layers], axis=1)
        bias = np.concatenate([bias for _, bias in layers])
        values, step = self._weight(name, weight)
        rounded = self.node("DynamicQuantizeLinear", x)
        return self.node(
            "QAttention",
            rounded,
            values,
            self.constant(f"{name}.bias", bias),
            f"{rounded}.1",
            step,
            mask,
            f"{rounded}.2",
            self._middle(),
            domain=FUSED,
            num_heads=self.dimensions.heads,
            mask_filter_value=HIDDEN,
        )

    def linear(self, name: str, x: str) -> str:
        """Round `x`, multiply, scale back, add the bias: one operator."""
        weight, bias = self.layer(name)
        values, step = self._weight(name, weight)
        return self.node(
            "DynamicQuantizeMatMul",
            x,
            values,
            step,
            self._middle(),
            self.constant(f"{name}.bias", bias),
            domain=FUSED,
        )

    def normalised(self, name: str, x: str, added: str) -> str:
        """Sum and normalisation in one operator, where both have one shape."""
        if name == "embeddings.LayerNorm":
            return super().normalised(name, x, added)
        return self.node(
            "SkipLayerNormalization",
            x,
            added,
            self.constant(f"{name}.weight", self.weights[f"{name}.weight"]),
            self.constant(f"{name}.bias", self.weights[f"{name}.bias"]),
            domain=FUSED,
            epsilon=self.dimensions.epsilon,
        )

    def gelu(self, x: str) -> str:
        """GELU with the exact error function, in one operator."""
        return self.node("Gelu", x, domain=FUSED)

    def _weight(self, name: str, weight: NDArray[np.float32]) -> tuple[str, str]:
        """A weight [inputs, outputs] as uint8, and the scale of each output."""
        step = steps(weight.T)
        values = np.rint(weight / step) + MIDDLE
        return (
            self.constant(f"{name}.weight", values.astype(np.uint8)),
            self.constant(f"{name}.step", step),
        )

    def _middle(self) -> str:
        return self.constant("middle", np.uint8(MIDDLE))
