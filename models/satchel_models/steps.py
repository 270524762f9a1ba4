"""What the first four steps of an optimisation hand to each other.

convert → graph → quantise → compile → validate: each step takes the earlier one's result from here
and gives its own; what comes of them in the end is in `results`. Files lie in the optimiser's
working folder; paths are absolute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from satchel_models.photo_face import PhotoFace
from satchel_models.recipe import Session

Feeds = Mapping[str, NDArray[Any]]
"""One inference's inputs by name; axis 0 is the batch where the model has one."""


@dataclass(frozen=True)
class Spec:
    """An input or output.

    Attributes:
        name: In the graph.
        dtype: NumPy's name, "float32", "int64", …
        shape: Sizes; a name for each dynamic axis.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Converted:
    """Step 1: the original as a float32 ONNX graph.

    Attributes:
        file: The graph; weights inside, or beside it when they have 2 GB and more.
        origin: What it was, in words: "PyTorch program", "Keras model", "ONNX, opset 17", …
        inputs: In order.
        outputs: In order.
        opset: Of the default domain.
        nodes: In the whole graph.
        examples: Sizes of each input that it was run with, in order; a batch of 1 where the batch
            is dynamic.
        notes: What the developer should know, a sentence each.
        face: What was put around the original in it; None: nothing, or no photo's face.
    """

    file: Path
    origin: str
    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]
    opset: int
    nodes: int
    examples: tuple[tuple[int, ...], ...] = ()
    notes: tuple[str, ...] = ()
    face: PhotoFace | None = None


@dataclass(frozen=True)
class Pass:
    """One graph pass: what it did.

    Attributes:
        name: The pass.
        before: Nodes that it found.
        after: Nodes that it left.
        max_error: Largest absolute difference of an output from the original's, after it.
        undone: Why its result was not taken, a sentence; "" where it was.
    """

    name: str
    before: int
    after: int
    max_error: float
    undone: str = ""


@dataclass(frozen=True)
class Graph:
    """Step 2: the optimised float32 graph.

    Attributes:
        file: Loads in every build of the engine.
        passes: In the order in which they ran.
        session: How the engine loads it.
        plain: The same before the engine's own fusions, standard operators only: what quantisers
            understand. None: `file` is such a graph.
        notes: What the developer should know, a sentence each.
    """

    file: Path
    passes: tuple[Pass, ...]
    session: Session
    plain: Path | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """Step 3: one way to store and to compute a model.

    Attributes:
        name: Unique: "float32", "float16-weights", "int8-weights", "int8-dynamic", "int8-static", …
        engine: That runs it.
        file: The model.
        session: How the engine loads it.
        size: Bytes of `file`.
        method: What was done, a sentence.
        resolution: Side of square inputs in pixels that it is for; None: the original's.
        calibration: Samples that calibrated it; 0: none needed.
        notes: What the developer should know, a sentence each.
    """

    name: str
    engine: Literal["onnxruntime", "litert"]
    file: Path
    session: Session
    size: int
    method: str
    resolution: int | None = None
    calibration: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sensitivity:
    """How much one weight costs when it alone is stored as int8.

    Attributes:
        tensor: The weight.
        operator: That uses it.
        weights: How many numbers it has.
        loss: What the model's answers lose by it (mean squared difference of outputs, relative).
        kept: Whether it stays in float for it.
    """

    tensor: str
    operator: str
    weights: int
    loss: float
    kept: bool


@dataclass(frozen=True)
class Rejected:
    """A candidate that could not be made, or does not run.

    Attributes:
        name: Its name.
        reason: A sentence.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Quantised:
    """Step 3's result; the first candidate is the float32 graph.

    Attributes:
        candidates: What is to be measured.
        rejected: What could not be made.
        sensitivities: Per weight, largest loss first.
        family: What kind of network it is: "convolutional", "transformer", "recurrent", "other".
        notes: What the developer should know, a sentence each.
    """

    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejected, ...] = ()
    sensitivities: tuple[Sensitivity, ...] = ()
    family: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compiled:
    """Step 4: what a release needs of one candidate.

    Attributes:
        candidate: Its name.
        file: The engine-ready file.
        chunks: Its chunk index (the binary form of `satchel.chunks`).
        golden: Its golden set (`satchel.golden`).
        inputs: In order.
        outputs: In order.
        brotli: Estimated bytes on the wire.
        nodes: In the graph.
    """

    candidate: str
    file: Path
    chunks: Path
    golden: Path
    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]
    brotli: int
    nodes: int
