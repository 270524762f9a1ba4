"""BERT encoders as ONNX graphs, made from their weights: no PyTorch, no exporter.

The network is that of Devlin et al. 2018 (https://arxiv.org/abs/1810.04805), its weights are named
as Hugging Face's `transformers` names them. `Encoder` writes it in float32 with standard operators
only: the original that everything else is measured against. `satchel_models.bert_int8` is the same
network for devices.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from satchel_models.errors import SourceError

OPSET = 17
IR_VERSION = 8

Weights = Mapping[str, NDArray[np.float32]]

HIDDEN = -1e4
"""Added to the attention scores of padding: far below any score, and finite in float16 too."""

_EXPECTED = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
}

_DEFAULTS = {"hidden_act": "gelu", "position_embedding_type": "absolute"}
"""What `transformers` takes where a config.json says nothing."""

Pooling = Literal["mean", "cls"]
"""A text's vector: the mean of its tokens', or the first token's."""


@dataclass(frozen=True)
class Dimensions:
    """Of a network.

    Attributes:
        layers: Number of layers.
        heads: Attention heads of each.
        width: Numbers that stand for a token.
        epsilon: Of the layer normalisations.
    """

    layers: int
    heads: int
    width: int
    epsilon: float

    @classmethod
    def read(cls, path: Path) -> "Dimensions":
        """Read a config.json.

        Raises:
            SourceError: It describes another network than these graphs are.
        """
        config = json.loads(path.read_text(encoding="utf-8"))
        for name, value in _EXPECTED.items():
            if config.get(name, _DEFAULTS.get(name)) != value:
                raise SourceError(f"{path}: {name} is {config.get(name)!r}; only {value!r} works.")
        return cls(
            config["num_hidden_layers"],
            config["num_attention_heads"],
            config["hidden_size"],
            config["layer_norm_eps"],
        )


def load(path: Path) -> Weights:
    """The weights in a .safetensors file, by name."""
    from safetensors.numpy import load_file

    return load_file(path)


class Encoder:
    """A BERT encoder in float32, standard operators only.

    Args:
        weights: By name.
        dimensions: The network's.
        positions: Tokens of the longest text.
        token_types: Whether `token_type_ids` is an input; without it every token is of type 0,
            and that type's constant is part of the positions' table.
    """

    def __init__(
        self,
        weights: Weights,
        dimensions: Dimensions,
        positions: int,
        *,
        token_types: bool = False,
    ) -> None:
        self.weights = weights
        self.dimensions = dimensions
        self.positions = positions
        self.token_types = token_types
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def sentences(self, pooling: Pooling = "mean", *, normalised: bool = True) -> onnx.ModelProto:
        """Texts to `embedding`, float32 [batch, width].

        Args:
            pooling: What stands for a text.
            normalised: Whether embeddings have length 1.
        """
        tokens = self.tokens()
        pooled = (
            self._first(tokens) if pooling == "cls" else self._mean(tokens, exact=not normalised)
        )
        if normalised:
            node = helper.make_node("LpNormalization", [pooled], ["embedding"], axis=-1, p=2)
        else:
            node = helper.make_node("Identity", [pooled], ["embedding"])
        self._nodes.append(node)
        return self._model("embedding", ["batch", self.dimensions.width])

    def _mean(self, tokens: str, *, exact: bool) -> str:
        """The mean of a text's own tokens, or at least its direction."""
        # A product with the mask is the sum over the text's own tokens; a mean has its direction.
        mask = self.node("Cast", "attention_mask", to=TensorProto.FLOAT)
        rows = self.node("Unsqueeze", mask, self.numbers(1))
        total = self.node("Squeeze", self.node("MatMul", rows, tokens), self.numbers(1))
        if not exact:
            return total
        return self.node("Div", total, self.node("ReduceSum", mask, self.numbers(1), keepdims=1))

    def _first(self, tokens: str) -> str:
        return self.node("Gather", tokens, self.constant("first", np.int64(0)), axis=1)

    def hidden_states(self) -> onnx.ModelProto:
        """Texts to `last_hidden_state`, float32 [batch, sequence, width]."""
        self._nodes.append(helper.make_node("Identity", [self.tokens()], ["last_hidden_state"]))
        return self._model("last_hidden_state", ["batch", "sequence", self.dimensions.width])

    def tokens(self) -> str:
        """The last layer's output, [batch, sequence, width]."""
        x = self.normalised("embeddings.LayerNorm", self.embedded(), self.placed())
        mask = self.mask()
        for number in range(self.dimensions.layers):
            layer = f"encoder.layer.{number}"
            attended = self.attention(f"{layer}.attention.self", x, mask)
            attended = self.linear(f"{layer}.attention.output.dense", attended)
            x = self.normalised(f"{layer}.attention.output.LayerNorm", attended, x)
            wide = self.gelu(self.linear(f"{layer}.intermediate.dense", x))
            narrow = self.linear(f"{layer}.output.dense", wide)
            x = self.normalised(f"{layer}.output.LayerNorm", narrow, x)
        return x

    # ---- the network's parts; `x` is [batch, sequence, …] throughout

    def embedded(self) -> str:
        """What each token stands for, without its place."""
        table = self.constant("words", self.weights["embeddings.word_embeddings.weight"])
        return self.node("Gather", table, "input_ids")

    def placed(self) -> str:
        """What is added for a token's place and type, [sequence, width] or [batch, …]."""
        places = self.weights["embeddings.position_embeddings.weight"][: self.positions]
        types = self.weights["embeddings.token_type_embeddings.weight"]
        table = self.constant("places", places if self.token_types else places + types[0])
        shape = self.node("Shape", "input_ids")
        length = self.node("Slice", shape, self.numbers(1), self.numbers(2), self.numbers(0))
        place = self.node("Slice", table, self.numbers(0), length, self.numbers(0))
        if not self.token_types:
            return place
        return self.node(
            "Add", self.node("Gather", self.constant("types", types), "token_type_ids"), place
        )

    def mask(self) -> str:
        """What `attention` needs to know about padding."""
        mask = self.node("Cast", "attention_mask", to=TensorProto.FLOAT)
        padding = self.node("Sub", self.constant("one", np.float32(1)), mask)
        hidden = self.node("Mul", padding, self.constant("hidden", np.float32(HIDDEN)))
        return self.node("Unsqueeze", hidden, self.numbers(1, 2))

    def attention(self, name: str, x: str, mask: str) -> str:
        """Self-attention, without the linear layer after it."""
        heads = self.dimensions.heads
        size = self.dimensions.width // heads
        split = self.numbers(0, 0, heads, size)
        query, key, value = (
            self.node("Reshape", self.linear(f"{name}.{part}", x), split)
            for part in ("query", "key", "value")
        )
        query = self.node("Transpose", query, perm=[0, 2, 1, 3])
        key = self.node("Transpose", key, perm=[0, 2, 3, 1])
        value = self.node("Transpose", value, perm=[0, 2, 1, 3])
        scores = self.node("MatMul", query, key)
        scaled = self.node("Mul", scores, self.constant("scale", np.float32(size**-0.5)))
        shares = self.node("Softmax", self.node("Add", scaled, mask), axis=-1)
        mixed = self.node("Transpose", self.node("MatMul", shares, value), perm=[0, 2, 1, 3])
        return self.node("Reshape", mixed, self.numbers(0, 0, self.dimensions.width))

    def linear(self, name: str, x: str) -> str:
        """`x` times a weight, plus a bias."""
        weight, bias = self.layer(name)
        product = self.node("MatMul", x, self.constant(f"{name}.weight", weight))
        return self.node("Add", product, self.constant(f"{name}.bias", bias))

    def normalised(self, name: str, x: str, added: str) -> str:
        """Layer normalisation of a sum."""
        return self.node(
            "LayerNormalization",
            self.node("Add", x, added),
            self.constant(f"{name}.weight", self.weights[f"{name}.weight"]),
            self.constant(f"{name}.bias", self.weights[f"{name}.bias"]),
            axis=-1,
            epsilon=self.dimensions.epsilon,
        )

    def gelu(self, x: str) -> str:
        """GELU with the exact error function."""
        scaled = self.node("Div", x, self.constant("sqrt2", np.float32(2**0.5)))
        erf = self.node("Add", self.node("Erf", scaled), self.constant("one", np.float32(1)))
        return self.node("Mul", self.node("Mul", x, erf), self.constant("half", np.float32(0.5)))

    # ---- writing it down

    def layer(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weight [inputs, outputs] and bias [outputs] of a linear layer."""
        return self.weights[f"{name}.weight"].T, self.weights[f"{name}.bias"]

    def constant(self, name: str, values: NDArray[np.generic] | np.generic) -> str:
        """A constant; the same name is the same constant."""
        if name not in self._constants:
            array = np.ascontiguousarray(values) if np.ndim(values) else np.asarray(values)
            self._constants[name] = numpy_helper.from_array(array, name)
        return name

    def numbers(self, *values: int) -> str:
        """Whole numbers as a constant."""
        return self.constant(f"numbers{values}", np.array(values, np.int64))

    def node(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node; return the name of its first output."""
        name = f"v{len(self._nodes)}"
        outputs = [name, f"{name}.1", f"{name}.2"][: _OUTPUTS.get(kind, 1)]
        self._nodes.append(helper.make_node(kind, inputs, outputs, domain=domain, **attributes))
        return name

    def _model(self, output: str, shape: list[str | int]) -> onnx.ModelProto:
        inputs = ["input_ids", "attention_mask", *(["token_type_ids"] if self.token_types else [])]
        graph = helper.make_graph(
            self._nodes,
            "main",
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
                for name in inputs
            ],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
            list(self._constants.values()),
        )
        domains = {node.domain for node in self._nodes} | {""}
        imports = [helper.make_opsetid(d, 1 if d else OPSET) for d in sorted(domains)]
        model: onnx.ModelProto = helper.make_model(
            graph, opset_imports=imports, ir_version=IR_VERSION
        )
        return model


_OUTPUTS = {"DynamicQuantizeLinear": 3}
