"""The label model with another head, as after fine-tuning: what an update is measured with."""

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

CLASSES = 1000
"""Every tensor with this dimension belongs to the head."""


def with_another_head(path: Path, seed: int = 0) -> tuple[bytes, int]:
    """Return a model whose head's tensors all differ a little, and how many bytes these have."""
    model = onnx.load(path)
    generator = np.random.default_rng(seed)
    differ = 0
    for tensor in model.graph.initializer:
        if CLASSES not in tensor.dims:
            continue
        before = numpy_helper.to_array(tensor)
        if before.dtype == np.int8:
            moved = before.astype(int) + generator.integers(-3, 4, before.shape)
            after = np.clip(moved, -127, 127).astype(np.int8)
        else:
            after = (before * generator.normal(1, 0.01, before.shape)).astype(before.dtype)
        differ += after.nbytes
        tensor.CopyFrom(numpy_helper.from_array(after, tensor.name))
    return model.SerializeToString(deterministic=True), differ
