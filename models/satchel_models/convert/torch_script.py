"""TorchScript → ONNX. Runs where PyTorch is installed.

`torch.export` can't follow compiled modules. PyTorch still carries the exporter that was made for
them (`dynamo=False`); what that one can't translate may go through the converter from TorchScript
to `torch.export` programs, which PyTorch keeps as a private module.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from satchel_models.convert import samples, torch_export
from satchel_models.convert.exchange import last_words
from satchel_models.convert.original import Original
from satchel_models.convert.samples import BATCH, Input
from satchel_models.convert.torch_export import Flat
from satchel_models.errors import ConversionError

LAST_OPSET = 20
"""The newest that the older exporter writes."""


def write(
    original: Original, flat: Flat, inputs: Sequence[Input], results: Sequence[str], path: Path
) -> None:
    """Translate a compiled module and write the graph.

    Raises:
        ConversionError: Neither way leads there.
    """
    feeds = samples.draw(inputs, 0)
    example = tuple(torch.from_numpy(np.array(feeds[each.name])) for each in inputs)
    try:
        _older(original, flat.network, example, inputs, results, path)
    except Exception as first:  # noqa: BLE001 - its errors have no common class
        try:
            program = _converted(flat.network, example)
        except Exception as second:  # as above
            raise ConversionError(
                f"{original.path} is TorchScript that PyTorch {torch.__version__} can't turn into "
                f"ONNX: {last_words(first)}; by torch.export: {last_words(second)}. Export the "
                "module that it was made from with torch.export.save."
            ) from second
        names = [each.name for each in inputs]
        torch_export.write(program, path, names, results, original.opset)


def _older(
    original: Original,
    module: Any,
    example: tuple[Any, ...],
    inputs: Sequence[Input],
    results: Sequence[str],
    path: Path,
) -> None:
    axes: dict[str, dict[int, str]] = {}
    for each in inputs:
        wanted = (original.dynamic or {}).get(each.name, ())
        axes[each.name] = {axis: f"{each.name}_{axis}" for axis in wanted}
        if each.axis is not None:
            axes[each.name][each.axis] = BATCH
    with torch_export.quiet(), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            example,
            str(path),
            dynamo=False,
            opset_version=min(original.opset, LAST_OPSET),
            input_names=[each.name for each in inputs],
            output_names=list(results),
            dynamic_axes=axes,
        )


def _converted(module: Any, example: tuple[Any, ...]) -> Any:
    from torch._export.converter import TS2EPConverter

    with torch_export.quiet(), torch.no_grad():
        return TS2EPConverter(module, example).convert()
