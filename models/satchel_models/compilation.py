"""Step 4: what a release needs of a candidate, beside its file.

A chunk index (`satchel.chunks`), so that a device fetches only what has changed; a golden set
(`satchel.golden`), so that a device can tell whether the file does what it did here; inputs and
outputs; and what the file weighs on the wire.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import brotli
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from satchel import chunks, golden
from satchel_models import chunking, graph
from satchel_models.errors import NumericsError
from satchel_models.results import Candidate, Compiled, Spec

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


def compiled(
    candidate: Candidate, out: Path, feeds: Sequence[Mapping[str, NDArray[np.generic]]]
) -> Compiled:
    """Put a candidate's file and what belongs to it into `out`.

    Args:
        candidate: What step 3 made.
        out: An existing folder.
        feeds: Inputs; the first few make the golden set.

    Raises:
        NumericsError: Its answers are not finite, or not the same twice.
    """
    content = candidate.file.read_bytes()
    model = onnx.load_from_string(content)
    session = graph.loaded(content, candidate.session)
    file = out / f"{candidate.name}.onnx"
    file.write_bytes(content)
    index = file.with_suffix(".chunks")
    index.write_bytes(chunks.encode(chunking.cut(content)))
    checks = file.with_suffix(".golden")
    tolerance = ROUNDING if _ROUNDING & {node.op_type for node in model.graph.node} else EXACT
    made = golden_set(candidate.name, session, feeds[:GOLDEN_CASES], tolerance)
    checks.write_bytes(golden.encode(made))
    return Compiled(
        candidate=candidate.name,
        file=file,
        chunks=index,
        golden=checks,
        inputs=specs(session.get_inputs()),
        outputs=specs(session.get_outputs()),
        brotli=len(brotli.compress(content, quality=BROTLI_QUALITY)),
        nodes=len(model.graph.node),
    )


def golden_set(
    name: str,
    session: onnxruntime.InferenceSession,
    feeds: Sequence[Mapping[str, NDArray[np.generic]]],
    tolerance: golden.Tolerance,
) -> golden.GoldenSet:
    """What a file answers here, and answers again.

    Raises:
        NumericsError: Its answers are not finite, or differ from run to run.
    """
    names = [output.name for output in session.get_outputs()]

    def answer(inputs: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        return dict(zip(names, session.run(names, dict(inputs)), strict=True))

    made = golden.GoldenSet(tolerance, tuple(golden.Case(one, answer(one)) for one in feeds))
    for number, case in enumerate(made.cases):
        problem = made.problem(number, answer(case.inputs))
        if problem:
            raise NumericsError(
                f"The candidate {name} isn't fit for a release: {problem}. Leave it out, or look "
                "at the model's numerics."
            )
    return made


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
