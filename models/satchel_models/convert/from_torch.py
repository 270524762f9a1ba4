"""The program that converts PyTorch originals: `python -m satchel_models.convert.from_torch DIR`.

DIR is described in `satchel_models.convert.exchange`. Runs where PyTorch is installed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from satchel_models.convert import exchange, samples, torch_export, torch_networks, torch_script
from satchel_models.convert.exchange import GRAPH, Drawn, Task, last_words, say
from satchel_models.convert.kinds import Kind
from satchel_models.convert.numerics import TOLERANCE, Case
from satchel_models.convert.samples import Input
from satchel_models.convert.torch_export import Flat
from satchel_models.convert.torch_networks import Network
from satchel_models.errors import ConversionError

SEEDS = (0, 1)
"""Of the samples that the original answers."""


def convert(task: Task) -> Drawn:
    """Do a task.

    Raises:
        ModelError: See `satchel_models.convert.convert`.
    """
    say("Loading the network")
    network, inputs, flat = opened(task)
    say("Running the original")
    cases, names = answers(task, flat, inputs)
    say("Exporting to ONNX")
    path = task.folder / GRAPH
    given = [each.name for each in inputs]
    if network.program:
        torch_export.write(network.program, path, given, names, task.original.opset)
    elif task.kind is Kind.TORCHSCRIPT:
        torch_script.write(task.original, flat, inputs, names, path)
    else:
        dynamic = {**network.dynamic, **(task.original.dynamic or {})}
        example = _example(dynamic, inputs, batched=len(cases) > 2)
        program = torch_export.capture(flat, *example)
        torch_export.write(program, path, given, names, task.original.opset)
    return Drawn(network.origin, cases, network.notes)


def opened(task: Task) -> tuple[Network, tuple[Input, ...], Flat]:
    """The original, what it takes, and itself as something that gives a flat tuple of tensors.

    Raises:
        ModelError: See `satchel_models.convert.convert`.
    """
    network = torch_networks.load(task)
    inputs, flat = _program(task, network) if network.program else _module(task, network)
    return network, inputs, flat


def answers(
    task: Task, flat: Flat, inputs: Sequence[Input]
) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """The original's answers to two samples, and to both at once where it takes that; names too.

    Raises:
        ConversionError: It doesn't run, gives no tensor, or answers otherwise each time.
    """
    feeds = [samples.draw(inputs, seed) for seed in SEEDS]
    for each in inputs:
        if each.axis is None:
            feeds[1][each.name] = feeds[0][each.name]
    try:
        found = _run(flat, feeds[0], inputs)
        again = _run(flat, feeds[0], inputs)
        cases = [Case(feeds[0], [v for _, v in found])]
        cases += [Case(feed, [v for _, v in _run(flat, feed, inputs)]) for feed in feeds[1:]]
    except Exception as error:  # somebody else's code
        shown = ", ".join(f"{each.name} {each.dtype} {list(each.shape)}" for each in inputs)
        raise ConversionError(
            f"The network doesn't run with {shown}: {type(error).__name__}: {last_words(error)}. "
            f"Its forward takes {torch_networks.parameters(flat.network)}; give other examples "
            "with --input."
        ) from error
    if not found:
        raise ConversionError(f"{task.original.path} gives no tensors.")
    for (_, a), (_, b) in zip(found, again, strict=True):
        if a.dtype.kind == "f" and not np.allclose(a, b, rtol=TOLERANCE, equal_nan=True):
            raise ConversionError(
                f"{task.original.path} answers the same input otherwise each time. Take what is "
                "random out of the network, or put it into evaluation mode before saving."
            )
    names = exchange.named(torch_export.outputs(found), task.original)
    return (*cases, *_pair(flat, inputs, feeds)), names


def _pair(
    flat: Flat, inputs: Sequence[Input], feeds: Sequence[dict[str, NDArray[np.generic]]]
) -> list[Case]:
    both = samples.joined(inputs, feeds)
    try:
        return [Case(both, [value for _, value in _run(flat, both, inputs)], 2)]
    except Exception:  # noqa: BLE001 - a network for one sample at a time fails as it likes
        return []


def _run(
    flat: Flat, feeds: dict[str, NDArray[np.generic]], inputs: Sequence[Input]
) -> list[tuple[str, NDArray[np.generic]]]:
    tensors = [torch.from_numpy(np.array(feeds[each.name])) for each in inputs]
    with torch.inference_mode():
        return [(name, value.cpu().numpy()) for name, value in flat.named(*tensors)]


def _module(task: Task, network: Network) -> tuple[tuple[Input, ...], Flat]:
    """Inputs as the developer describes them, or as the file does."""
    said = task.original.inputs
    if not said and network.inputs:
        names = [each.name for each in network.inputs]
        return network.inputs, Flat(network.module, names, by_name=True)
    takes = torch_networks.parameters(network.module)
    if not said:
        raise ConversionError(
            f"{task.original.path} doesn't say what it takes; its forward is {takes}. Give an "
            "example of each input: --input NAME=1x3x224x224:float32"
        )
    with_batch = samples.batched({name: shape for name, (shape, _) in said.items()})
    inputs = tuple(
        Input(name, dtype, shape, 0 if name in with_batch else None)
        for name, (shape, dtype) in said.items()
    )
    return inputs, Flat(network.module, list(said), by_name=_knows(network.module, list(said)))


def _knows(module: Any, names: Sequence[str]) -> bool:
    import inspect

    try:
        known = inspect.signature(module.forward).parameters
    except (TypeError, ValueError):
        return False
    return all(name in known for name in names)


def _program(task: Task, network: Network) -> tuple[tuple[Input, ...], Flat]:
    """Inputs as the program's own example has them, under the developer's names if there are any.

    Raises:
        ConversionError: The program has none, or takes other things than tensors.
    """
    program = network.program
    own = list(program.graph_signature.user_inputs)
    args, kwargs = program.example_inputs or ((), {})
    example = [*args, *kwargs.values()]
    if len(example) != len(own) or not all(isinstance(t, torch.Tensor) for t in example):
        raise ConversionError(
            f"{task.original.path} doesn't take tensors only ({', '.join(map(str, own))}). Export "
            "a module whose forward takes tensors."
        )
    said = list(task.original.inputs or own)
    if len(said) != len(own):
        raise ConversionError(
            f"{task.original.path} has {len(own)} inputs ({', '.join(own)}), not {len(said)}."
        )
    holes = {
        node.name: node.meta["val"] for node in program.graph.nodes if node.op == "placeholder"
    }
    with_batch = samples.batched({n: tuple(t.shape) for n, t in zip(own, example, strict=True)})
    inputs = []
    for name, inner, tensor in zip(said, own, example, strict=True):
        free = inner in with_batch and not isinstance(holes[inner].shape[0], int)
        shape = (1, *tensor.shape[1:]) if free else tuple(tensor.shape)
        whole = not tensor.is_floating_point() and tensor.numel() and tensor.dtype != torch.bool
        below = max(samples.FEW, int(tensor.max()) + 1) if whole else samples.FEW
        dtype = str(tensor.dtype).removeprefix("torch.")
        inputs.append(Input(name, dtype, shape, 0 if free else None, below))
    flat = Flat(network.module, list(kwargs), by_name=False)
    if kwargs:
        flat = Flat(_Keyed(network.module, len(args), list(kwargs)), said, by_name=False)
    return tuple(inputs), flat


class _Keyed(torch.nn.Module):  # type: ignore[misc]
    """A program whose last inputs are passed by name."""

    def __init__(self, network: Any, positional: int, names: Sequence[str]) -> None:
        super().__init__()
        self.network, self.positional, self.names = network, positional, tuple(names)

    def forward(self, *tensors: Any) -> Any:
        """Run the program."""
        rest = zip(self.names, tensors[self.positional :], strict=True)
        return self.network(*tensors[: self.positional], **dict(rest))


def _example(
    dynamic: Mapping[str, tuple[int, ...]], inputs: Sequence[Input], *, batched: bool
) -> tuple[tuple[Any, ...], list[dict[int, Any]]]:
    """What to export with, and which of its axes are dynamic.

    A batch of two, since the exporter takes a size of one for a constant.
    """
    one = samples.draw(inputs, SEEDS[0])
    feeds = samples.joined(inputs, [one, one]) if batched else one
    dims: list[dict[int, Any]] = []
    for each in inputs:
        wanted = dynamic.get(each.name, ())
        axes = dict.fromkeys(wanted, torch.export.Dim.DYNAMIC)
        if batched and each.axis is not None:
            # Automatic: where the network fixes it, it is fixed, and told later.
            axes.setdefault(each.axis, torch.export.Dim.AUTO)
        dims.append(axes)
    return tuple(torch.from_numpy(np.array(feeds[each.name])) for each in inputs), dims


if __name__ == "__main__":
    raise SystemExit(exchange.main(convert))
