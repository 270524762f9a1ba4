"""From a graph that some exporter wrote to one that the other steps can count on.

Every change is kept only if the graph goes on answering as the original does.
"""

from dataclasses import dataclass
from pathlib import Path

import onnx

from satchel_models.convert import dynamic, examples, graphs, operators, opsets, samples, widening
from satchel_models.convert.numerics import Case
from satchel_models.convert.original import MIN_OPSET, Original
from satchel_models.convert.samples import Input
from satchel_models.convert.work import Work
from satchel_models.errors import ConversionError, ModelError

SEEDS = (0, 1)
"""Of the samples that are compared."""

_FEWER_BITS = {"DequantizeLinear", "QLinearConv", "QLinearMatMul", "MatMulInteger", "ConvInteger"}


@dataclass(frozen=True)
class Draft:
    """A graph as its exporter wrote it.

    Attributes:
        file: The graph.
        origin: What the original is, in words.
        cases: The original's answers: two or more samples apart, and a batch of two where the
            original takes one; empty: the graph itself is the original.
        notes: What the developer should know, a sentence each.
    """

    file: Path
    origin: str
    cases: tuple[Case, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finished:
    """What comes of a draft.

    Attributes:
        model: The graph.
        inputs: With sizes that it was run with.
        notes: A sentence each.
        error: Largest difference from the original, as a share of an output's largest value.
    """

    model: onnx.ModelProto
    inputs: tuple[Input, ...]
    notes: tuple[str, ...]
    error: float


def finish(draft: Draft, original: Original, folder: Path) -> Finished:
    """Check a draft, raise its opset, make its axes dynamic, compare it with the original.

    Args:
        draft: The graph.
        original: What the developer wants of it.
        folder: For files on the way.

    Raises:
        ModelError: See `satchel_models.convert.convert`.
    """
    model = graphs.load(draft.file)
    given = _tidy(model, original)
    operators.check(model, original.path)
    _check(model, original.path)
    work = _started(model, draft, original, folder)
    _raise(work)
    if not given:
        widening.batch(work)
    widening.others(work)
    error = _measure(work)
    _remark(work)
    return Finished(work.model, work.inputs, tuple(dict.fromkeys(work.notes)), error)


def _tidy(model: onnx.ModelProto, original: Original) -> bool:
    """Constants are no inputs, dynamic axes have names, only the wanted outputs stay.

    Returns:
        Whether the developer has given the batch its size.
    """
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    del graph.input[:]
    graph.input.extend(inputs)
    dynamic.named(model)
    first = next((axes[0] for axes in dynamic.dims(model).values() if axes), None)
    dynamic.fix(model, original)
    have = [value.name for value in graph.output]
    wanted = original.outputs or tuple(have)
    missing = [name for name in wanted if name not in have]
    if missing:
        raise ConversionError(
            f"{original.path} has no output {missing[0]}; it has {', '.join(have)}."
        )
    outputs = {value.name: value for value in graph.output}
    kept = [outputs[name] for name in wanted]
    del graph.output[:]
    graph.output.extend(kept)
    return first in (original.fixed or {})


def _check(model: onnx.ModelProto, path: Path) -> None:
    if graphs.weight_bytes(model) > graphs.LARGE:
        return  # the checker takes one protocol buffer; ONNX Runtime's loading has to do
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as error:
        said = " ".join(str(error).split())[:300]
        raise ConversionError(
            f"{path} is no valid ONNX graph: {said} Export it again; onnx.checker must pass it."
        ) from error


def _started(model: onnx.ModelProto, draft: Draft, original: Original, folder: Path) -> Work:
    opened = graphs.session(model, folder, str(original.path))
    specs = graphs.specs(model.graph.input, original.path)
    graphs.specs(model.graph.output, original.path)
    below = operators.limits(model)
    notes = list(draft.notes)
    if draft.cases:
        singles = [case for case in draft.cases if case.batch == 1]
        pair = next((case for case in draft.cases if case.batch > 1), None)
        shapes = {name: (value.shape, str(value.dtype)) for name, value in singles[0].feeds.items()}
        seen = Original(original.path, inputs=shapes)
        return Work(
            original,
            folder,
            model,
            examples.found(opened, specs, seen, below),
            singles,
            pair,
            notes,
        )
    inputs = examples.found(opened, specs, original, below)
    feeds = [samples.draw(inputs, seed) for seed in SEEDS]
    shared = [each.name for each in inputs if each.axis is None]
    for later in feeds[1:]:
        later.update({name: feeds[0][name] for name in shared})
    singles = [Case(each, graphs.run(opened, each, str(original.path))) for each in feeds]
    return Work(original, folder, model, inputs, singles, None, notes)


def _raise(work: Work) -> None:
    before = graphs.opset(work.model)
    newer = opsets.raised(work.model)
    if newer is not work.model:
        try:
            work.compare(newer)
        except ModelError:
            newer = work.model
    work.model = newer
    now = graphs.opset(newer)
    if now != before:
        work.notes.append(f"Opset {before} was raised to {now}.")
    if now < opsets.QUANTISABLE:
        work.notes.append(
            f"It stays at opset {now}, which can't store weights as int8 per channel; an export "
            f"with opset {MIN_OPSET} can."
        )


def _measure(work: Work) -> float:
    """Compare the finished graph, and write down the shapes of its outputs."""
    error = work.compare(work.model)
    opened = graphs.session(work.model, work.folder, work.name)
    runs = [graphs.run(opened, work.singles[0].feeds, work.name)]
    if samples.batch_axes(graphs.specs(work.model.graph.input, work.original.path)):
        runs.append(graphs.run(opened, work.two(), work.name))
    names = [value.name for value in work.model.graph.output]
    sizes = {name: tuple(run[k].shape for run in runs) for k, name in enumerate(names)}
    dynamic.measured(work.model, sizes)
    return error


def _remark(work: Work) -> None:
    model = work.model
    if text := operators.control_flow(model):
        work.notes.append(text)
    if {node.op_type for node in graphs.nodes(model.graph)} & _FEWER_BITS:
        work.notes.append(
            "It is quantised already: everything is compared with it as it is, not with the "
            "float32 model that it was made from."
        )
    halves = (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
    if any(tensor.data_type in halves for tensor in graphs.tensors(model.graph)):
        work.notes.append("Its weights are 16-bit floats already.")
    if graphs.weight_bytes(model) > graphs.LARGE:
        work.notes.append(
            "Its weights lie in a file beside the graph; a browser's memory (4 GB) may not hold it."
        )
