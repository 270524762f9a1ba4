"""Candidates for LiteRT: they branch off from the original, not from its ONNX graph.

LiteRT's converters read PyTorch and TensorFlow themselves, and keep a network's channels last, as
its kernels want them. Three programs, each in an environment that has what it needs: `from_torch`
or `from_keras` write the network as it is, `making` makes the candidates of that; `step` asks them.
So this package imports next to nothing until something is made.
"""

from pathlib import Path

from satchel_models.litert.order import ALL, RANGES, NoEnvironmentError, Order
from satchel_models.steps import Quantised
from satchel_models.tools import Progress, Tools

__all__ = ["ALL", "RANGES", "NoEnvironmentError", "Order", "candidates"]


def candidates(order: Order, out: Path, tools: Tools, progress: Progress) -> Quantised:
    """Make the candidates of a level.

    Args:
        order: What is asked for.
        out: A folder for the files, `<candidate>.tflite`.
        tools: Where LiteRT's converters are.
        progress: Told what is done.

    Returns:
        What runs, and what can't be made, with the reason.

    Raises:
        NoEnvironmentError: They can't be installed.
    """
    from satchel_models.litert import step

    return step.candidates(order, out, tools, progress)
