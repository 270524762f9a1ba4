"""The golden set of a release: made-up inputs, and what this very file answers to them here.

A device that gets other answers has a broken file or a broken engine. The tolerance is what sound
engines differ by, with a margin; docs/decisions/0009 has the measurements.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from builder.errors import BuildError
from satchel.golden import Case, GoldenSet, Tolerance
from satchel.manifest import SessionSettings
from satchel.platform import SessionOptions
from satchel.platform.native.ort import session_options
from satchel.tasks.wordpiece import WordPiece
from satchel_models import Recipe, golden
from satchel_models.label_recipe import LabelRecipe
from satchel_models.sentences import SENTENCES

Inputs = dict[str, NDArray[np.generic]]

TOLERANCE: Mapping[str, Tolerance] = {
    # float32 arithmetic in another order.
    "label": Tolerance(cosine=0.999, top=5),
    # 8-bit activations: a rounding that falls the other way is passed on.
    "embed": Tolerance(cosine=0.99),
}


def make(recipe: Recipe, place: Path, model: bytes, settings: SessionSettings) -> GoldenSet:
    """Make the golden set of a model file.

    Args:
        recipe: What the file was made by, or stands in for.
        place: The folder with the recipe's artefacts.
        model: The ONNX file.
        settings: How the device's engine loads it.

    Raises:
        BuildError: It can't be loaded, its inputs or outputs aren't those of the recipe's own
            artefact, or its answers are useless (not finite, or different from run to run).
    """
    session = _session(model, settings, recipe.id)
    names = [output.name for output in session.get_outputs()]
    cases = []
    for feeds in INPUTS[recipe.task](recipe, place):
        try:
            outputs = session.run(names, feeds)
        except Exception as error:  # onnxruntime's errors have no common base
            raise BuildError(f"The model for {recipe.id} can't be run: {error}") from error
        cases.append(Case(feeds, dict(zip(names, outputs, strict=True))))
    made = GoldenSet(TOLERANCE[recipe.task], tuple(cases))
    _judge(made, session, recipe.id)
    return made


def check_interface(recipe: Recipe, own: Path, model: bytes, settings: SessionSettings) -> None:
    """Make sure that another file has the inputs and outputs of the recipe's own artefact.

    Raises:
        BuildError: It hasn't; both sides are shown.
    """
    wanted, found = (
        _interface(_session(data, settings, recipe.id)) for data in (own.read_bytes(), model)
    )
    if wanted != found:
        raise BuildError(
            f"The file isn't a model like {recipe.id}'s. It has {found}; the page's task needs "
            f"{wanted}."
        )


def _session(model: bytes, settings: SessionSettings, name: str) -> onnxruntime.InferenceSession:
    options = session_options(SessionOptions(settings.graph_optimization_level, settings.config))
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common base
        raise BuildError(
            f"The file for {name} is no model that ONNX Runtime loads: {error}"
        ) from error


def _interface(session: onnxruntime.InferenceSession) -> str:
    def told(values: list[onnxruntime.NodeArg]) -> str:
        return ", ".join(f"{one.name}: {one.type} {one.shape}" for one in values)

    return f"({told(session.get_inputs())}) → ({told(session.get_outputs())})"


def _judge(made: GoldenSet, session: onnxruntime.InferenceSession, name: str) -> None:
    """Hold a second run against the first: what fails here would fail on every device."""
    for number, case in enumerate(made.cases):
        again = session.run(list(case.outputs), dict(case.inputs))
        problem = made.problem(number, dict(zip(case.outputs, again, strict=True)))
        if problem:
            raise BuildError(f"The model for {name} isn't fit for a release: {problem}.")


def _photos(recipe: Recipe, place: Path) -> list[Inputs]:
    """Patterns: two sizes, one of them a batch of two."""
    if not isinstance(recipe, LabelRecipe):
        raise BuildError(f"The recipe of {recipe.id} is no label model's.")
    kept = {place / variant.golden for variant in recipe.variants if variant.golden}
    images = [
        case.input for path in sorted(kept)[:1] if path.is_file() for case in golden.load(path)
    ]
    return [{recipe.export.input: image} for image in images or golden.inputs()]


def _texts(recipe: Recipe, place: Path) -> list[Inputs]:
    """Sentences, one by one: together they would share a scale and differ more."""
    tokenizer = WordPiece.parse((place / recipe.files["tokenizer"]).read_text("utf-8"))
    inputs: list[Inputs] = []
    for text in SENTENCES:
        ids = np.array([tokenizer(text)], np.int64)
        inputs.append({"input_ids": ids, "attention_mask": np.ones_like(ids)})
    return inputs


INPUTS: Mapping[str, Callable[[Recipe, Path], list[Inputs]]] = {"label": _photos, "embed": _texts}
"""The golden inputs of a task's models."""
