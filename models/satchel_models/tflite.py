"""`.tflite` files on this machine's CPU, by LiteRT's own interpreter.

Figures that count are measured in a browser; here a file is tried, cheaply and often.
"""

import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel_models.errors import GraphError
from satchel_models.native import words
from satchel_models.steps import Feeds, Spec

PACKAGE = "ai_edge_litert"
"""Not there on every machine: see requirements/main.in."""


def available() -> bool:
    """Whether this machine has LiteRT."""
    return importlib.util.find_spec(PACKAGE) is not None


class Model:
    """A `.tflite` file, loaded by its first signature.

    Attributes:
        name: For errors.
        inputs: In the file's order; shapes are fixed.
        outputs: Likewise.

    Raises:
        GraphError: It doesn't load, or has no signature: then its inputs have no names; or LiteRT
            isn't here.
    """

    def __init__(self, name: str, content: bytes, *, threads: int = 1) -> None:
        self.name = name
        if not available():
            raise GraphError(
                f"{name} can't be tried: this Python lacks the package ai-edge-litert."
            )
        from ai_edge_litert.interpreter import Interpreter

        try:
            interpreter = Interpreter(model_content=content, num_threads=threads)
            interpreter.allocate_tensors()
            signatures = interpreter.get_signature_list()
        # ValueError or RuntimeError, with the interpreter's words in both.
        except Exception as error:
            raise GraphError(f"{name} doesn't load: {words(error)}") from error
        if not signatures:
            raise GraphError(
                f"{name} doesn't load: it has no signature, so no names to call it by."
            )
        self._runner: Any = interpreter.get_signature_runner(next(iter(signatures)))
        self.inputs = _specs(self._runner.get_input_details())
        self.outputs = _specs(self._runner.get_output_details())

    def run(self, feeds: Feeds) -> dict[str, NDArray[Any]]:
        """Run it on one input; what it doesn't take is left out.

        Raises:
            GraphError: An input is missing or of another shape or type, or it fails.
        """
        given = {spec.name: self._fitting(spec, feeds) for spec in self.inputs}
        try:
            found = self._runner(**given)
        except Exception as error:
            raise GraphError(f"{self.name} doesn't run: {words(error)}") from error
        return {spec.name: np.array(found[spec.name]) for spec in self.outputs}

    def _fitting(self, spec: Spec, feeds: Feeds) -> NDArray[Any]:
        value = feeds.get(spec.name)
        found = "nothing" if value is None else f"{value.dtype.name} {list(value.shape)}"
        # The interpreter would make room for another shape, which a browser's does not.
        if value is None or (value.dtype.name, value.shape) != (spec.dtype, spec.shape):
            raise GraphError(
                f"{self.name} doesn't run: its input {spec.name} takes {spec.dtype} "
                f"{list(spec.shape)}, and got {found}."
            )
        return value


def operators(content: bytes) -> int:
    """How many operators a file's graphs have."""
    return sum(1 for _ in _operators(content))


def rounds(content: bytes) -> bool:
    """Whether a file computes with rounded numbers, so that sound engines differ a little.

    What only stores its weights small unpacks them first, and computes with float32.
    """
    from ai_edge_litert.schema_py_generated import BuiltinOperator, TensorType

    narrow = {TensorType.INT8, TensorType.INT16, TensorType.INT4}  # uint8 is what photos come in
    unpacking = BuiltinOperator.DEQUANTIZE
    return any(code != unpacking and kinds & narrow for code, kinds in _operators(content))


def _operators(content: bytes) -> Iterator[tuple[int, set[int]]]:
    """Each operator's code, and the types of what it takes."""
    from ai_edge_litert.schema_py_generated import ModelT

    model = ModelT.InitFromPackedBuf(content, 0)
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    for graph in model.subgraphs:
        for operator in graph.operators or ():
            taken = [graph.tensors[index] for index in operator.inputs if index >= 0]
            yield codes[operator.opcodeIndex], {tensor.type for tensor in taken}


def _specs(details: Mapping[str, Any]) -> tuple[Spec, ...]:
    return tuple(
        Spec(name, np.dtype(of["dtype"]).name, tuple(int(size) for size in of["shape"]))
        for name, of in details.items()
    )
