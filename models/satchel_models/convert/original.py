"""What the developer gave."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MIN_OPSET = 17


@dataclass(frozen=True)
class Original:
    """A model, and what its file doesn't say.

    Attributes:
        path: File or folder.
        factory: "module:callable" that makes the network that a file of weights belongs to; for a
            Keras model, the module that registers its own layers. Modules are looked for in the
            current folder, beside the file and in `places`.
        arguments: Positional arguments of the factory.
        places: More folders with modules.
        trust: Whether loading may run code that is in the file.
        inputs: Example shape and dtype (NumPy's name) by input, in the order of the network's
            arguments; for PyTorch modules, whose files don't say. The first axis of the first one
            is the batch.
        outputs: Names, in order; of an ONNX graph's outputs, which ones to keep.
        dynamic: Axes beside the batch that stay dynamic, by input.
        fixed: Sizes of axes that the graph calls dynamic and that have but one, by the axis' name:
            what depends on them is known beforehand.
        opset: What PyTorch's exporters write; 17 at least.
    """

    path: Path
    factory: str | None = None
    arguments: tuple[str, ...] = ()
    places: tuple[Path, ...] = ()
    trust: bool = False
    inputs: Mapping[str, tuple[tuple[int, ...], str]] | None = None
    outputs: tuple[str, ...] | None = None
    dynamic: Mapping[str, tuple[int, ...]] | None = None
    fixed: Mapping[str, int] | None = None
    opset: int = 18
