"""PyTorch originals, loaded: whatever the file is, a network that takes tensors and gives tensors.

Runs where PyTorch is installed.
"""

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from satchel_models.convert import asking, torch_hugging
from satchel_models.convert.exchange import Task, last_words
from satchel_models.convert.kinds import Kind
from satchel_models.convert.original import Original
from satchel_models.convert.samples import Input
from satchel_models.errors import ConversionError

NESTED = ("state_dict", "model_state_dict", "model", "weights")
"""Where training programs keep the weights in what they save."""


@dataclass(frozen=True)
class Network:
    """A loaded original.

    Attributes:
        module: In evaluation mode, on the CPU.
        origin: What it is, in words.
        notes: A sentence each.
        program: As `torch.export` wrote it.
        inputs: What it takes, where its file says that.
        dynamic: Axes beside the batch that are dynamic, by input, where its file says that.
    """

    module: Any
    origin: str
    notes: tuple[str, ...] = ()
    program: Any = None
    inputs: tuple[Input, ...] = ()
    dynamic: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def load(task: Task) -> Network:
    """The original.

    Raises:
        UntrustedError: Loading would run code that is in the file.
        ConversionError: It doesn't load, or its factory doesn't.
    """
    asking.check(task.original, task.kind)
    return _LOADERS[task.kind](task.original)


def made(original: Original) -> Any:
    """What the factory makes.

    Raises:
        ConversionError: There is none, or it fails.
    """
    assert original.factory is not None, "asking.check"
    name, _, attribute = original.factory.partition(":")
    try:
        make: Any = importlib.import_module(name)
        for part in attribute.split("."):
            make = getattr(make, part)
    except (ImportError, AttributeError) as error:
        raise ConversionError(
            f"The factory {original.factory} cannot be imported ({last_words(error)}). It is "
            "looked for in the current folder and beside the file; a package that it needs: "
            f"{sys.executable} -m pip install PACKAGE"
        ) from error
    try:
        return make(*original.arguments)
    except Exception as error:  # somebody else's code
        raise ConversionError(
            f"The factory {original.factory} failed: {type(error).__name__}: {last_words(error)}."
        ) from error


def _program(original: Original) -> Network:
    try:
        program = torch.export.load(original.path)
    except Exception as error:  # of many kinds: zip, schema, JSON, …
        raise ConversionError(
            f"{original.path} cannot be loaded as a torch.export program ({last_words(error)}). "
            f"This is PyTorch {torch.__version__}; save the program again with it."
        ) from error
    return Network(program.module(), Kind.TORCH_PROGRAM, program=program)


def _script(original: Original) -> Network:
    try:
        module = torch.jit.load(original.path, map_location="cpu")
    except RuntimeError as error:
        raise ConversionError(
            f"{original.path} cannot be loaded as TorchScript: {last_words(error)}."
        ) from error
    return Network(module.eval(), Kind.TORCHSCRIPT)


def _object(original: Original) -> Network:
    try:
        found = torch.load(original.path, map_location="cpu", weights_only=False)
    except Exception as error:  # unpickling runs anything
        raise ConversionError(
            f"{original.path} cannot be unpickled: {type(error).__name__}: {last_words(error)}. "
            "Its classes are looked for in the current folder and beside the file."
        ) from error
    if not isinstance(found, torch.nn.Module):
        return _filled(original, found, Kind.TORCH_WEIGHTS)
    notes = _widened(found.state_dict())
    return Network(found.float().eval(), f"PyTorch module ({type(found).__name__})", notes)


def _weights(original: Original) -> Network:
    try:
        found = torch.load(original.path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling fails in many ways
        raise ConversionError(
            f"{original.path} cannot be loaded as weights: {last_words(error)}."
        ) from error
    return _filled(original, found, Kind.TORCH_WEIGHTS)


def _safetensors(original: Original) -> Network:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise ConversionError(
            f"{original.path} needs the package safetensors: "
            f"{sys.executable} -m pip install safetensors"
        ) from error
    return _filled(original, load_file(original.path), Kind.SAFETENSORS)


def _hugging(original: Original) -> Network:
    found = torch_hugging.load(original)
    return Network(found.module, found.origin, inputs=found.inputs, dynamic=found.dynamic)


def _filled(original: Original, found: Any, kind: Kind) -> Network:
    """The factory's network with the weights that were found."""
    state = next(
        (found[key] for key in NESTED if isinstance(found, Mapping) and _is_state(found.get(key))),
        found,
    )
    if not _is_state(state):
        raise ConversionError(
            f"{original.path} holds a {type(found).__name__}, neither a module nor weights by "
            "name. Save module.state_dict()."
        )
    module = made(original)
    if not isinstance(module, torch.nn.Module):
        raise ConversionError(
            f"The factory {original.factory} makes a {type(module).__name__}, no torch.nn.Module."
        )
    state = {name.removeprefix("module."): value for name, value in state.items()}
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise ConversionError(
            f"The weights in {original.path} don't fit what {original.factory} makes: "
            f"{last_words(error)}."
        ) from error
    return Network(module.float().eval(), f"{kind}, {original.factory}", _widened(state))


def _is_state(found: Any) -> bool:
    return (
        isinstance(found, Mapping)
        and bool(found)
        and all(isinstance(value, torch.Tensor) for value in found.values())
    )


def _widened(state: Mapping[str, Any]) -> tuple[str, ...]:
    """A note on weights that are no float32, and become it."""
    kinds = {tensor.dtype for tensor in state.values() if tensor.is_floating_point()}
    other = sorted(str(kind).removeprefix("torch.") for kind in kinds - {torch.float32})
    return (f"Its {' and '.join(other)} weights became float32.",) if other else ()


def parameters(module: Any) -> str:
    """What a module's forward takes, for a sentence."""
    if isinstance(module, torch.jit.ScriptModule):
        return str(module.forward.schema).removeprefix("forward")
    try:
        return str(inspect.signature(module.forward))
    except (TypeError, ValueError):
        return "(…)"


_LOADERS: Mapping[Kind, Callable[[Original], Network]] = {
    Kind.TORCH_PROGRAM: _program,
    Kind.TORCHSCRIPT: _script,
    Kind.TORCH_OBJECT: _object,
    Kind.TORCH_WEIGHTS: _weights,
    Kind.SAFETENSORS: _safetensors,
    Kind.HUGGING_FACE: _hugging,
}
