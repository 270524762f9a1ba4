"""A label model's artefacts, made again from its original by the optimiser's own steps.

What was chosen by measurement stands in the recipe as its variants' names; nothing is measured
here.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from satchel_models import golden, graph, litert, patch, tflite
from satchel_models.caching import Cache
from satchel_models.errors import NumericsError, RecipeError
from satchel_models.label_recipe import LabelRecipe
from satchel_models.pipeline import Pipeline, Told
from satchel_models.recipe import Session, Variant
from satchel_models.results import BUDGETS, Candidate, Converted, Level
from satchel_models.subjects import Label
from satchel_models.targets import target
from satchel_models.tools import Equipment

COSINE = 0.98
"""Of the golden outputs, artefact against original, at least: 0.995 was seen."""

Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""A model's probabilities for photos, uint8 [batch, height, width, 3]."""


@dataclass(frozen=True)
class Rebuilt:
    """What came out for one variant.

    Attributes:
        variant: Its name.
        sha256: Of the model.
        size: Of the model (bytes).
        cosine: Smallest cosine between the original's and the artefact's golden outputs.
    """

    variant: str
    sha256: str
    size: int
    cosine: float


@dataclass(frozen=True)
class Workplace:
    """What a rebuild works with.

    Attributes:
        originals: Where packages with published weights are kept.
        cache: Of the steps' results.
        tools: Environments of PyTorch and LiteRT's converters.
        data: Photos that calibrate; None: what they gave the last time does, as the recipe keeps
            it.
        told: Told what goes on.
    """

    originals: Path
    cache: Cache
    tools: Equipment
    data: Path | None = None
    told: Told = lambda *_: None


def rebuild(recipe: LabelRecipe, out: Path, place: Workplace) -> tuple[Rebuilt, ...]:
    """Make the files of a recipe's variants in `out`, an existing folder.

    Raises:
        RecipeError: The optimiser has no candidate of a variant's name.
        NumericsError: A file's answers are too far from the original's, or it is too large.
    """
    subject = Label(recipe, place.originals)
    done = []
    for variant in recipe.variants:
        converted, made = _made(subject, variant, place)
        data = made.file.read_bytes()
        if len(data) > recipe.quantise.max_bytes:
            raise NumericsError(
                f"{recipe.id} has {len(data):,} bytes as {variant.name}, more than "
                f"{recipe.quantise.max_bytes:,}. Take another candidate, or allow more in its "
                "recipe."
            )
        cosine = _compared(recipe, variant, converted, data, out)
        _write(variant, data, out)
        if place.data is not None and made.calibration and recipe.quantise.ranges:
            kept = (made.file.parent / litert.RANGES).read_bytes()
            (out / recipe.quantise.ranges).write_bytes(kept)
        done.append(Rebuilt(variant.name, hashlib.sha256(data).hexdigest(), len(data), cosine))
    return tuple(done)


def _made(subject: Label, variant: Variant, place: Workplace) -> tuple[Converted, Candidate]:
    """The converted original, and the candidate at the first level that makes it."""
    known: list[str] = []
    for level in BUDGETS:
        converted, candidates = _candidates(subject, variant, level, place)
        for candidate in candidates:
            if candidate.name == variant.name:
                return converted, candidate
        known += [one.name for one in candidates if one.name not in known]
    raise RecipeError(
        f"{subject.name} has a variant {variant.name!r}, and the optimiser makes "
        f"{', '.join(known) or 'none'} for {variant.engine}."
    )


def _candidates(
    subject: Label, variant: Variant, level: Level, place: Workplace
) -> tuple[Converted, Sequence[Candidate]]:
    """The converted original, and a level's candidates for a variant's engine."""
    branches = variant.engine == "litert"
    pipeline = Pipeline(
        subject,
        target("browser"),
        level,
        place.data if branches else None,
        None,
        0,
        place.tools,
        place.cache,
        place.told,
    )
    converted = pipeline.converted()
    dataset = pipeline.dataset(converted)
    if branches:
        found = pipeline.branched(converted, dataset)
        if not found.candidates:
            raise RecipeError(f"{subject.name}: {found.rejected[0].reason}")
    else:
        found = pipeline.made(pipeline.graph(converted, dataset), converted, dataset)
    return converted, found.candidates


def _compared(
    recipe: LabelRecipe, variant: Variant, converted: Converted, data: bytes, out: Path
) -> float:
    """Hold a file's answers against the original's, and keep both where the recipe says.

    Raises:
        NumericsError: They are too far apart.
    """
    # The converted graph stands for the original: the first step has compared the two.
    before = _onnx(recipe, converted.file.read_bytes(), Session("basic"))
    if variant.engine == "litert":
        after: Run = _litert(recipe, variant, data)
        side = variant.resolutions[0]
        images = golden.inputs(shapes=((1, side, side),) * 2)
    else:
        after = _onnx(recipe, data, variant.session)
        images = golden.inputs()
    cases = [golden.Case(image, before(image), after(image)) for image in images]
    cosine = min(golden.cosine(case.original, case.artefact) for case in cases)
    if not cosine >= COSINE:
        raise NumericsError(
            f"{recipe.id}, {variant.name}: golden outputs have cosine {cosine:.4f} with the "
            f"original's, below {COSINE}."
        )
    if variant.golden:
        golden.save(out / variant.golden, cases)
    return cosine


def _onnx(recipe: LabelRecipe, data: bytes, session: Session) -> Run:
    loaded, names = graph.loaded(data, session), [recipe.export.output]
    return lambda image: loaded.run(names, {recipe.export.input: image})[0]


def _litert(recipe: LabelRecipe, variant: Variant, data: bytes) -> Run:
    model = tflite.Model(variant.name, data)
    return lambda image: model.run({recipe.export.input: image})[recipe.export.output]


def _write(variant: Variant, data: bytes, out: Path) -> None:
    """Put a variant's file down, or what makes it of the one that it shares."""
    if variant.patch:
        found = patch.difference((out / variant.file).read_bytes(), data)
        (out / variant.patch).write_text(json.dumps(found) + "\n", "utf-8", newline="\n")
    else:
        (out / variant.file).write_bytes(data)
