"""Runs step 1: recognise, convert in a folder of its own, finish, put in place."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from satchel_models.convert import asking, finishing, foreign, from_bert, graphs, hugging_face
from satchel_models.convert.exchange import Task
from satchel_models.convert.finishing import Draft, Finished
from satchel_models.convert.kinds import Kind, recognise
from satchel_models.convert.original import MIN_OPSET, Original
from satchel_models.errors import ConversionError
from satchel_models.steps import Converted
from satchel_models.tools import NAMES, Environment, Progress, Tools

FILE = "converted.onnx"

PROGRAMS: Mapping[Kind, tuple[Environment, str]] = {
    Kind.TORCH_PROGRAM: ("torch", "from_torch"),
    Kind.TORCHSCRIPT: ("torch", "from_torch"),
    Kind.TORCH_OBJECT: ("torch", "from_torch"),
    Kind.TORCH_WEIGHTS: ("torch", "from_torch"),
    Kind.SAFETENSORS: ("torch", "from_torch"),
    Kind.HUGGING_FACE: ("torch", "from_torch"),
    Kind.KERAS: ("tensorflow", "from_keras"),
    Kind.KERAS_HDF5: ("tensorflow", "from_keras"),
    Kind.SAVED_MODEL: ("tensorflow", "from_keras"),
}
"""Which environment and which program converts what."""


def convert(original: Original, out: Path, tools: Tools, progress: Progress) -> Converted:
    """See `satchel_models.convert.convert`."""
    if original.opset < MIN_OPSET:
        raise ConversionError(
            f"Opset {original.opset} is too old; give {MIN_OPSET} or a newer one."
        )
    progress(f"Looking at {original.path.name}", 0.0)
    kind = recognise(original.path)
    out = out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".converting-", dir=out) as name:
        folder = Path(name)
        draft = _drafted(kind, original, folder, tools, progress)
        progress("Checking the graph against the original", 0.8)
        finished = finishing.finish(draft, original, folder)
        progress("Writing the graph", 0.95)
        whole = folder / FILE
        graphs.save(finished.model, whole)
        weights = folder / graphs.WEIGHTS.format(FILE)
        if weights.exists():
            weights.replace(out / weights.name)
        whole.replace(out / FILE)
    progress("Converted", 1.0)
    return _converted(draft, finished, out / FILE)


def _drafted(
    kind: Kind, original: Original, folder: Path, tools: Tools, progress: Progress
) -> Draft:
    if kind is Kind.ONNX:
        opset = graphs.opset(graphs.load(original.path))
        return Draft(original.path, f"ONNX, opset {opset}")
    if kind is Kind.HUGGING_FACE:
        found = hugging_face.read(original.path)
        if found.is_plain_bert:
            progress("Building the graph from the weights", 0.2)
            return from_bert.draft(found, folder)
    asking.check(original, kind)
    environment, module = PROGRAMS[kind]
    progress(f"Preparing {NAMES[environment]}", None)
    python = tools.python(environment)
    return foreign.draft(python, module, Task(original, kind, folder), progress)


def _converted(draft: Draft, finished: Finished, file: Path) -> Converted:
    model = finished.model
    return Converted(
        file=file,
        origin=draft.origin,
        inputs=graphs.specs(model.graph.input, file),
        outputs=graphs.specs(model.graph.output, file),
        opset=graphs.opset(model),
        nodes=sum(1 for _ in graphs.nodes(model.graph)),
        examples=tuple(each.shape for each in finished.inputs),
        notes=finished.notes,
    )
