"""Products of whole numbers: ONNX Runtime's quantisers (onnxruntime.quantization), tamed.

Weights are uint8 for dynamic quantisation and int8 around zero for static: processors without a
dot product for bytes add up pairs of uint8 × int8 in 16 bits, which overflow, and a range of seven
bits against that ("reduce_range") costs accuracy. Scales are per channel: per tensor is a trap.
"""

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import onnx
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType
from onnxruntime.quantization.calibrate import CalibrationDataReader
from onnxruntime.quantization.quantize import quantize_dynamic, quantize_static

from satchel_models.steps import Feeds

Calibration = Literal["minmax", "entropy", "percentile"]

AT_ONCE = 4
"""Inputs whose activations are held in memory together while histograms are made."""

PERCENTILE = 99.99

_FINE = ("Softmax", "LogSoftmax")

_METHODS = {
    "minmax": CalibrationMethod.MinMax,
    "entropy": CalibrationMethod.Entropy,
    "percentile": CalibrationMethod.Percentile,
}


def dynamic(
    model: onnx.ModelProto, operators: Sequence[str], excluded: Sequence[str] = ()
) -> onnx.ModelProto:
    """`model` with constant products done in uint8, activations' ranges measured at each run.

    Args:
        model: A float32 graph of ONNX's own operators.
        operators: Kinds of operators to do so: "MatMul" (Gemm is one, too), "Conv", "LSTM".
        excluded: Names of nodes (`named`) that stay in float.
    """
    with _workplace() as folder:
        out = folder / "dynamic.onnx"
        quantize_dynamic(
            named(model),
            out,
            op_types_to_quantize=list(operators),
            per_channel=True,
            weight_type=QuantType.QUInt8,
            nodes_to_exclude=list(excluded),
        )
        return onnx.load(out)


def static(
    model: onnx.ModelProto,
    operators: Sequence[str] | None,
    feeds: Sequence[Feeds],
    method: Calibration,
) -> onnx.ModelProto:
    """`model` with QuantizeLinear and DequantizeLinear around what is done in int8.

    Args:
        model: A float32 graph of ONNX's own operators.
        operators: Kinds of operators to do so; None: all that have an int8 form.
        feeds: Inputs that calibrate the ranges of activations.
        method: How ranges come of what the inputs give: the extremes; the range that keeps most
            information; or the one that holds 99.99 % of values.
    """
    options: dict[str, Any] = {"CalibPercentile": PERCENTILE, "MatMulConstBOnly": True}
    if method != "minmax":
        at_once = AT_ONCE if _alike(feeds) else 1
        options["CalibStridedMinMax"] = at_once
        whole = len(feeds) // at_once * at_once
        feeds = feeds[:whole] if whole else [feeds[0]] * at_once
    with _workplace() as folder:
        out = folder / "static.onnx"
        quantize_static(
            named(model),
            out,
            _Reader(feeds),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(operators) if operators else None,
            # Shares of a whole need finer steps than 256: in int8 they no longer add up to 1.
            nodes_to_exclude=[
                f"n{k}" for k, n in enumerate(model.graph.node) if n.op_type in _FINE
            ],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=_METHODS[method],
            extra_options=options,
        )
        return onnx.load(out)


def named(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose nodes have names, "n0", "n1", …: the quantisers tell them apart by these."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    for number, node in enumerate(result.graph.node):
        node.name = f"n{number}"
    return result


def _alike(feeds: Sequence[Feeds]) -> bool:
    """Whether inputs have the same shapes, so that their activations fit one array."""
    shapes = {tuple((name, one[name].shape) for name in sorted(one)) for one in feeds}
    return len(shapes) == 1


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Inputs, as the calibrators want them."""

    def __init__(self, feeds: Sequence[Feeds]) -> None:
        self._feeds = feeds
        self._left = iter(feeds)

    def get_next(self) -> dict[str, Any] | None:
        one = next(self._left, None)
        return None if one is None else dict(one)

    def __len__(self) -> int:
        return len(self._feeds)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._left = iter(self._feeds[start_index:end_index])


@contextlib.contextmanager
def _workplace() -> Iterator[Path]:
    """A folder for the quantisers' files, and no words from them in the meantime."""
    root = logging.getLogger()
    handlers, disabled = list(root.handlers), root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            tempfile.TemporaryDirectory(prefix="satchel-") as folder,
        ):
            yield Path(folder)
    finally:
        logging.disable(disabled)
        root.handlers[:] = handlers  # they add one
