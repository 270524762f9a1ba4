"""Step 4: what a release needs of a candidate, beside its file.

A chunk index (`satchel.chunks`), so that a device fetches only what has changed; a golden set
(`satchel.golden`), so that a device can tell whether the file does what it did here; inputs and
outputs; and what the file weighs on the wire.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brotli
import onnx
import onnxruntime
from numpy.typing import NDArray

from satchel import chunks, golden
from satchel_models import chunking, graph, tflite
from satchel_models.engines import SUFFIXES
from satchel_models.errors import NumericsError
from satchel_models.steps import Candidate, Compiled, Feeds, Spec

BROTLI_QUALITY = 5
"""Hosts compress with 11, which takes a minute for what gives 2 % less."""

GOLDEN_CASES = 3

EXACT, ROUNDING = golden.Tolerance(cosine=0.999), golden.Tolerance(cosine=0.99)
"""What sound engines differ by: float32 arithmetic in another order, and 8-bit activations, whose
roundings fall the other way now and then and are passed on (docs/decisions/0009)."""

_ROUNDING = {
    "DynamicQuantizeLinear", "DynamicQuantizeMatMul", "MatMulInteger", "ConvInteger", "QAttention",
    "QLinearConv", "QLinearMatMul", "QuantizeLinear",
}  # fmt: skip


@dataclass(frozen=True)
class _Loaded:
    """A candidate in its engine.

    Attributes:
        inputs: In order.
        outputs: In order.
        answer: Runs it.
        nodes: In its graph.
        tolerance: What sound engines differ by.
    """

    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]
    answer: Callable[[Feeds], Mapping[str, NDArray[Any]]]
    nodes: int
    tolerance: golden.Tolerance


def compiled(candidate: Candidate, out: Path, feeds: Sequence[Feeds]) -> Compiled:
    """Put a candidate's file and what belongs to it into `out`.

    Args:
        candidate: What step 3 made.
        out: An existing folder.
        feeds: Inputs; the first few make the golden set.

    Raises:
        NumericsError: Its answers are not finite, or not the same twice.
        GraphError: Its engine can't load or run it.
    """
    content = candidate.file.read_bytes()
    loaded = _LOADERS[candidate.engine](candidate, content)
    file = out / f"{candidate.name}{SUFFIXES[candidate.engine]}"
    file.write_bytes(content)
    index = file.with_name(f"{file.name}.chunks")
    index.write_bytes(chunks.encode(chunking.cut(content)))
    checks = file.with_name(f"{file.name}.golden")
    made = _golden_set(candidate.name, loaded, feeds[:GOLDEN_CASES])
    checks.write_bytes(golden.encode(made))
    return Compiled(
        candidate=candidate.name,
        file=file,
        chunks=index,
        golden=checks,
        inputs=loaded.inputs,
        outputs=loaded.outputs,
        brotli=len(brotli.compress(content, quality=BROTLI_QUALITY)),
        nodes=loaded.nodes,
    )


def _golden_set(name: str, loaded: _Loaded, feeds: Sequence[Feeds]) -> golden.GoldenSet:
    """What a file answers here, and answers again.

    Raises:
        NumericsError: Its answers are not finite, or differ from run to run.
    """
    wanted = {spec.name for spec in loaded.inputs}
    given = [{key: value for key, value in one.items() if key in wanted} for one in feeds]
    cases = tuple(golden.Case(one, loaded.answer(one)) for one in given)
    made = golden.GoldenSet(loaded.tolerance, cases)
    for number, case in enumerate(made.cases):
        problem = made.problem(number, loaded.answer(case.inputs))
        if problem:
            raise NumericsError(
                f"The candidate {name} isn't fit for a release: {problem}. Leave it out, or look "
                "at the model's numerics."
            )
    return made


def _in_onnxruntime(candidate: Candidate, content: bytes) -> _Loaded:
    model = onnx.load_from_string(content)
    session = graph.loaded(content, candidate.session)
    names = [output.name for output in session.get_outputs()]

    def answer(feeds: Feeds) -> Mapping[str, NDArray[Any]]:
        return dict(zip(names, session.run(names, dict(feeds)), strict=True))

    rounding = _ROUNDING & {node.op_type for node in model.graph.node}
    return _Loaded(
        specs(session.get_inputs()),
        specs(session.get_outputs()),
        answer,
        len(model.graph.node),
        ROUNDING if rounding else EXACT,
    )


def _in_litert(candidate: Candidate, content: bytes) -> _Loaded:
    model = tflite.Model(candidate.name, content)
    return _Loaded(
        model.inputs,
        model.outputs,
        model.run,
        tflite.operators(content),
        ROUNDING if tflite.rounds(content) else EXACT,
    )


_LOADERS: Mapping[str, Callable[[Candidate, bytes], _Loaded]] = {
    "onnxruntime": _in_onnxruntime,
    "litert": _in_litert,
}


def specs(values: Sequence[onnxruntime.NodeArg]) -> tuple[Spec, ...]:
    """Onnxruntime's inputs or outputs as specs; an axis without a name is called by its place.

    Example:
        >>> specs([])
        ()
    """
    return tuple(
        Spec(
            value.name,
            _DTYPES[value.type],
            tuple(
                size if isinstance(size, int) else str(size or f"axis{axis}")
                for axis, size in enumerate(value.shape)
            ),
        )
        for value in values
    )


_DTYPES: Mapping[str, str] = {
    f"tensor({name})": {"float": "float32", "double": "float64"}.get(name, name)
    for name in (
        "float", "double", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16",
        "uint32", "uint64", "bool", "string",
    )
}  # fmt: skip
