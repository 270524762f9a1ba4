"""Raising a graph to a newer version of the standard operators."""

import onnx
from onnx import version_converter

from satchel_models.convert import graphs
from satchel_models.convert.original import MIN_OPSET

QUANTISABLE = 13
"""The first opset whose DequantizeLinear takes a scale per channel."""

IR_VERSION = 8
"""Of files with opset 17; initializers need not be inputs from 4 on."""


def raised(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph at opset 17, or at 13 where no way leads further, or as it is.

    The newer graph is not checked here: what converts wrongly shows when it runs.
    """
    if graphs.opset(model) >= MIN_OPSET or graphs.weight_bytes(model) > graphs.LARGE:
        return model
    for target in (MIN_OPSET, QUANTISABLE):
        if graphs.opset(model) >= target:
            break
        try:
            newer = version_converter.convert_version(model, target)
            onnx.checker.check_model(newer)
        except Exception:  # noqa: BLE001, S112 - its errors have no common class; the next one may do
            continue
        newer.ir_version = max(newer.ir_version, IR_VERSION)
        return newer
    return model
