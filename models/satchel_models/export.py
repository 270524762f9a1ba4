"""PyTorch → ONNX: float32 pixels [batch, 3, height, width] to logits [batch, classes].

Uses torch's exporter on `torch.export` (opset 18 natively:
pytorch.org/docs/stable/onnx_export.html). Batch, height and width stay dynamic.
"""

from typing import Any

import onnx

from satchel_models.label_recipe import Export

PIXELS = "pixels"
LOGITS = "logits"


def export(model: Any, outer: Export) -> onnx.ModelProto:
    """Export `model`, a `torch.nn.Module` from float32 pixels, NCHW, to logits.

    Args:
        model: In evaluation mode.
        outer: The recipe's `[export]`.

    Returns:
        A graph with input `pixels` and output `logits`, batch normalisation folded.
    """
    import torch

    from satchel_models.convert.torch_export import quiet

    height, width = outer.trace
    # A batch of 2, since the exporter takes a size of 1 for a constant.
    example = torch.zeros(2, 3, height, width)
    dynamic = torch.export.Dim.DYNAMIC
    with quiet(), torch.no_grad():
        program = torch.onnx.export(
            model,
            (example,),
            dynamo=True,
            opset_version=outer.opset,
            input_names=[PIXELS],
            output_names=[LOGITS],
            dynamic_shapes=({0: dynamic, 2: dynamic, 3: dynamic},),
            optimize=True,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    exported: onnx.ModelProto = program.model_proto
    return exported
