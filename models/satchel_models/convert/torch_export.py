"""PyTorch → ONNX by torch's exporter on `torch.export` (opset 18 natively).

https://docs.pytorch.org/docs/stable/onnx_export.html. Runs where PyTorch is installed.
"""

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from torch.utils import _pytree as pytree

from satchel_models.convert.exchange import last_words
from satchel_models.errors import ConversionError, UnsupportedOperatorError

PREFIX = "network."
"""Before the names of weights in `Flat`."""

_MISSING = re.compile(r"No ONNX function found for <?(?:OpOverload\(op=)?'?([\w.:]+)")

_LOGGERS = ("torch.onnx", "torch.export", "torch._export", "torch.fx", "torch._dynamo")


class Flat(torch.nn.Module):  # type: ignore[misc]
    """A network whose outputs are a flat tuple of tensors, whatever they were.

    Args:
        network: Takes `names` by name where its forward knows them, else in that order.
        names: Of the inputs.
        by_name: Whether to pass them by name.
    """

    def __init__(self, network: Any, names: Sequence[str], *, by_name: bool) -> None:
        super().__init__()
        self.network = network
        self.names = tuple(names)
        self.by_name = by_name

    def forward(self, *tensors: Any) -> tuple[Any, ...]:
        """Run the network."""
        return tuple(tensor for _, tensor in self.named(*tensors))

    def named(self, *tensors: Any) -> list[tuple[str, Any]]:
        """Run the network; each output with what it is called in it, "" for no name."""
        if self.by_name:
            result = self.network(**dict(zip(self.names, tensors, strict=True)))
        else:
            result = self.network(*tensors)
        if isinstance(result, Mapping):
            result = dict(result)  # such as transformers' outputs
        leaves, _ = pytree.tree_flatten_with_path(result)
        return [(_name(path), leaf) for path, leaf in leaves if isinstance(leaf, torch.Tensor)]


def outputs(found: Sequence[tuple[str, Any]]) -> tuple[str, ...]:
    """Names of a network's outputs: its own where all have one."""
    own = [name for name, _ in found]
    if all(own) and len(set(own)) == len(own):
        return tuple(own)
    return ("output",) if len(own) == 1 else tuple(f"output_{k}" for k in range(len(own)))


def capture(module: Any, example: tuple[Any, ...], dynamic: Sequence[Mapping[int, Any]]) -> Any:
    """A `torch.export` program of a module.

    Args:
        module: Takes the example's tensors.
        example: Inputs.
        dynamic: `Dim` by axis, for each input.

    Raises:
        ConversionError: With PyTorch's words.
    """
    first: Exception | None = None
    for strict in (False, True):
        try:
            with quiet(), torch.no_grad():
                return torch.export.export(
                    module, example, dynamic_shapes=(tuple(dynamic),), strict=strict
                )
        except Exception as error:  # noqa: BLE001 - its errors have no common class
            first = first or error
    assert first is not None
    raise ConversionError(
        f"torch.export can't follow the network: {type(first).__name__}: {last_words(first)}."
    ) from first


def write(
    program: Any, path: Path, names: Sequence[str], results: Sequence[str], opset: int
) -> None:
    """Translate a program and write the graph.

    Raises:
        UnsupportedOperatorError: PyTorch has no translation of one of its operators.
        ConversionError: With PyTorch's words.
    """
    try:
        with quiet(), torch.no_grad():
            done = torch.onnx.export(
                program,
                dynamo=True,
                opset_version=opset,
                input_names=list(names),
                output_names=list(results),
                optimize=True,
                verbose=False,
            )
    except Exception as error:  # its errors have no common class
        raise _translated(error) from error
    done.save(path)
    _strip(path)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporter's chatter back: stages on stdout, absent torchvision, its own old calls."""
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for name in levels:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


def _translated(error: Exception) -> ConversionError:
    missing = _MISSING.search(str(error))
    if missing:
        return UnsupportedOperatorError(
            f"PyTorch's exporter has no ONNX translation of {missing.group(1)}. Replace that "
            "operator in the network, or leave that part out of it and do it in Python."
        )
    return ConversionError(
        f"PyTorch's exporter failed: {type(error).__name__}: {last_words(error)}."
    )


def _name(path: Sequence[Any]) -> str:
    """What a leaf is called by the dictionary, or data class, that it is in."""
    words = [getattr(key, "key", getattr(key, "name", None)) for key in path]
    return ".".join(map(str, words)) if words and all(isinstance(w, str) for w in words) else ""


def _strip(path: Path) -> None:
    """Take `Flat`'s own name out of the weights' names."""
    model = onnx.load(path, load_external_data=False)
    graph = model.graph
    taken = {value.name for value in (*graph.input, *graph.output, *graph.initializer)}
    new = {
        tensor.name: tensor.name.removeprefix(PREFIX)
        for tensor in graph.initializer
        if tensor.name.startswith(PREFIX) and tensor.name.removeprefix(PREFIX) not in taken
    }
    for tensor in graph.initializer:
        tensor.name = new.get(tensor.name, tensor.name)
    stack = [graph]
    while stack:
        for node in stack.pop().node:
            for k, name in enumerate(node.input):
                node.input[k] = new.get(name, name)
            stack.extend(a.g for a in node.attribute if a.HasField("g"))
    path.write_bytes(model.SerializeToString(deterministic=True))
