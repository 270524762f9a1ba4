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
from satchel.errors import InputTypeError
from satchel.generated import generated
from satchel.golden import Case, GoldenSet, Tolerance
from satchel.manifest import SessionSettings
from satchel.platform import SessionOptions
from satchel.platform.native.ort import session_options
from satchel.tasks.wordpiece import WordPiece
from satchel.tensors import TensorSpec, dtype_of
from satchel_models import ModelError, Recipe, golden
from satchel_models.compilation import specs
from satchel_models.label_recipe import LabelRecipe
from satchel_models.own_recipe import OwnLabelRecipe, OwnRecipe, TensorsRecipe
from satchel_models.sentences import SENTENCES

Inputs = dict[str, NDArray[np.generic]]

TOLERANCE: Mapping[str, Tolerance] = {
    # float32 arithmetic in another order.
    "label": Tolerance(cosine=0.999, top=5),
    # 8-bit activations: a rounding that falls the other way is passed on.
    "embed": Tolerance(cosine=0.99),
}

OWN = Tolerance(cosine=0.99)
"""For models of one's own, whatever their task: `optimize` may have chosen 8-bit activations."""


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
    for feeds in INPUTS[recipe.task](recipe, place, session):
        try:
            outputs = session.run(names, feeds)
        except Exception as error:  # onnxruntime's errors have no common base
            raise BuildError(f"The model for {recipe.id} can't be run: {error}") from error
        cases.append(Case(feeds, dict(zip(names, outputs, strict=True))))
    own = isinstance(recipe, OwnRecipe)
    made = GoldenSet(OWN if own else TOLERANCE[recipe.task], tuple(cases))
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


def _photos(recipe: Recipe, place: Path, session: onnxruntime.InferenceSession) -> list[Inputs]:
    """Patterns: two sizes, one of them a batch of two."""
    if isinstance(recipe, OwnLabelRecipe):
        return _own_photos(recipe, session)
    if not isinstance(recipe, LabelRecipe):
        raise BuildError(f"The recipe of {recipe.id} is no label model's.")
    kept = {place / variant.golden for variant in recipe.variants if variant.golden}
    images = [
        case.input for path in sorted(kept)[:1] if path.is_file() for case in golden.load(path)
    ]
    return [{recipe.export.input: image} for image in images or golden.inputs()]


def _own_photos(recipe: OwnLabelRecipe, session: onnxruntime.InferenceSession) -> list[Inputs]:
    """Patterns of the size that the model takes: a batch of two, where it takes more than one."""
    try:
        labels = recipe.labels
    except ModelError as error:
        raise BuildError(str(error)) from error
    classes = session.get_outputs()[0].shape[-1]
    if classes != len(labels):
        raise BuildError(
            f"{recipe.id} tells {classes} classes apart, but {recipe.label.labels} has "
            f"{len(labels)} names. Write one for each class, in the model's order."
        )
    (given,) = session.get_inputs()
    resolution = max((side for one in recipe.variants for side in one.resolutions), default=224)
    batch, height, width = (
        side if isinstance(side, int) else other
        for side, other in zip(given.shape, (2, resolution, resolution), strict=False)
    )
    return [{given.name: image} for image in golden.inputs(shapes=((batch, height, width),) * 2)]


def _texts(recipe: Recipe, place: Path, session: onnxruntime.InferenceSession) -> list[Inputs]:
    """Sentences, one by one: together they would share a scale and differ more."""
    tokenizer = WordPiece.parse((place / recipe.files["tokenizer"]).read_text("utf-8"))
    wanted = {given.name for given in session.get_inputs()}
    inputs: list[Inputs] = []
    for text in SENTENCES:
        ids = np.array([tokenizer(text)], np.int64)
        made = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        inputs.append({name: made[name] for name in made if name in wanted})
    return inputs


def _tensors(recipe: Recipe, place: Path, session: onnxruntime.InferenceSession) -> list[Inputs]:
    """Made-up numbers, twice; the second time two at once, where the model takes that."""
    specs = [_spec(given) for given in session.get_inputs()]
    sizes = recipe.tensors.sizes if isinstance(recipe, TensorsRecipe) else {}
    firsts = {str(spec.shape[0]) for spec in specs if spec.shape}
    pair = {**dict.fromkeys(firsts, 2), **sizes}
    try:
        first, second = (
            {
                spec.name: generated(spec, number * len(specs) + k, at)
                for k, spec in enumerate(specs)
            }
            for number, at in enumerate((sizes, pair))
        )
    except InputTypeError as error:
        raise BuildError(
            f"{recipe.id} takes text, and a release must be tried out with inputs that anybody can "
            "make. Export it with numbers as inputs."
        ) from error
    return [first, second if _runs(session, second) else first]


def _runs(session: onnxruntime.InferenceSession, feeds: Inputs) -> bool:
    try:
        session.run(None, feeds)
    except Exception:  # noqa: BLE001  # onnxruntime's errors have no common base
        return False
    return True


def _spec(given: onnxruntime.NodeArg) -> TensorSpec:
    (spec,) = specs([given])
    return TensorSpec(spec.name, dtype_of(spec.dtype), spec.shape)


INPUTS: Mapping[str, Callable[[Recipe, Path, onnxruntime.InferenceSession], list[Inputs]]] = {
    "label": _photos,
    "embed": _texts,
    "tensors": _tensors,
}
"""The golden inputs of a task's models."""
