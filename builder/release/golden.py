"""The golden set of a release: made-up inputs, and what this very file answers to them here.

A device that gets other answers has a broken file or a broken engine. The answers are those of the
variant's own engine, and the tolerance is what sound builds of it differ by, with a margin;
docs/decisions/0009 has the measurements.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from builder.errors import BuildError
from builder.release.session import Session
from satchel.errors import InputTypeError, SatchelError
from satchel.generated import generated
from satchel.golden import Case, GoldenSet, Tolerance
from satchel.manifest import Variant
from satchel.tasks.wordpiece import WordPiece
from satchel.tensors import fit
from satchel_models import ModelError, Recipe, golden
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


LITERT = Tolerance(cosine=0.99, top=5)
"""For labels on LiteRT: 8-bit activations, and relaxed SIMD leaves some rounding to processors."""


def make(recipe: Recipe, place: Path, model: bytes, variant: Variant) -> GoldenSet:
    """Make the golden set of a model file.

    Args:
        recipe: What the file was made by, or stands in for.
        place: The folder with the recipe's artefacts.
        model: The file.
        variant: Which engine it is for, and how the device loads it.

    Raises:
        BuildError: It can't be loaded, its inputs or outputs aren't those of the recipe's own
            artefact, or its answers are useless (not finite, or different from run to run).
    """
    session = Session(model, variant, recipe.id)
    cases = []
    for feeds in INPUTS[recipe.task](recipe, place, session):
        try:
            cases.append(Case(feeds, session.run(feeds)))
        except SatchelError as error:
            raise BuildError(f"The model for {recipe.id} can't be run: {error}") from error
    made = GoldenSet(_tolerance(recipe, variant), tuple(cases))
    _judge(made, session, recipe.id)
    return made


def _tolerance(recipe: Recipe, variant: Variant) -> Tolerance:
    if variant.engine == "litert":
        return LITERT if recipe.task == "label" else OWN
    return OWN if isinstance(recipe, OwnRecipe) else TOLERANCE[recipe.task]


def _judge(made: GoldenSet, session: Session, name: str) -> None:
    """Hold a second run against the first: what fails here would fail on every device."""
    for number, case in enumerate(made.cases):
        problem = made.problem(number, session.run(case.inputs))
        if problem:
            raise BuildError(f"The model for {name} isn't fit for a release: {problem}.")


def _photos(recipe: Recipe, place: Path, session: Session) -> list[Inputs]:
    """Patterns of the sizes that the model takes: two at once, and another size, where it can."""
    if isinstance(recipe, OwnLabelRecipe):
        _check_labels(recipe, session)
    (given,) = session.inputs
    if isinstance(recipe, LabelRecipe) and not any(isinstance(n, int) for n in given.shape[:3]):
        kept = {place / variant.golden for variant in recipe.variants if variant.golden}
        images = [
            case.input for path in sorted(kept)[:1] if path.is_file() for case in golden.load(path)
        ]
        return [{given.name: image} for image in images or golden.inputs()]
    resolution = max(session.variant.resolutions, default=224)
    batch, height, width = (
        side if isinstance(side, int) else other
        for side, other in zip(given.shape, (2, resolution, resolution), strict=False)
    )
    return [{given.name: image} for image in golden.inputs(shapes=((batch, height, width),) * 2)]


def _check_labels(recipe: OwnLabelRecipe, session: Session) -> None:
    try:
        labels = recipe.labels
    except ModelError as error:
        raise BuildError(str(error)) from error
    classes = session.outputs[0].shape[-1]
    if classes != len(labels):
        raise BuildError(
            f"{recipe.id} tells {classes} classes apart, but {recipe.label.labels} has "
            f"{len(labels)} names. Write one for each class, in the model's order."
        )


def _texts(recipe: Recipe, place: Path, session: Session) -> list[Inputs]:
    """Sentences, one by one: together they would share a scale and differ more."""
    tokenizer = WordPiece.parse((place / recipe.files["tokenizer"]).read_text("utf-8"))
    inputs: list[Inputs] = []
    for text in SENTENCES:
        ids = np.array([tokenizer(text)], np.int64)
        made = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        wanted = [spec for spec in session.inputs if spec.name in made]
        inputs.append({spec.name: fit(made[spec.name], spec) for spec in wanted})
    return inputs


def _tensors(recipe: Recipe, place: Path, session: Session) -> list[Inputs]:
    """Made-up numbers, twice; the second time two at once, where the model takes that."""
    specs = session.inputs
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


def _runs(session: Session, feeds: Inputs) -> bool:
    try:
        session.run(feeds)
    except SatchelError:
        return False
    return True


INPUTS: Mapping[str, Callable[[Recipe, Path, Session], list[Inputs]]] = {
    "label": _photos,
    "embed": _texts,
    "tensors": _tensors,
}
"""The golden inputs of a task's models."""
