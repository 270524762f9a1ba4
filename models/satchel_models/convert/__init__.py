"""Step 1 of an optimisation: whatever the developer has → a float32 ONNX graph, checked against it.

`kinds` tells what a file is, `conversion` runs the step. PyTorch and TensorFlow run in programs of
their own (`from_torch`, `from_keras`), in environments that have them; so this package imports
nothing beyond NumPy until something is converted.
"""

from pathlib import Path

from satchel_models.convert.kinds import Kind, recognise
from satchel_models.convert.original import Original
from satchel_models.steps import Converted
from satchel_models.tools import Progress, Tools

__all__ = ["Kind", "Original", "convert", "recognise"]


def convert(original: Original, out: Path, tools: Tools, progress: Progress) -> Converted:
    """Make `original` a float32 ONNX graph in `out`, and see that it answers as the original does.

    The batch is dynamic where the model allows it. A conversion that fails or is ended leaves
    nothing in `out`.

    Args:
        original: What the developer gave.
        out: A folder; made where it isn't there.
        tools: Where PyTorch and TensorFlow are.
        progress: Is told what is being done.

    Raises:
        ConversionError: It is no model, is damaged, or cannot become an ONNX graph.
        UntrustedError: Loading it would run code, and `original.trust` isn't set.
        UnsupportedOperatorError: The graph has operators that the engine doesn't know.
        NumericsError: The graph answers otherwise than the original.
    """
    from satchel_models.convert import conversion

    return conversion.convert(original, out, tools, progress)
