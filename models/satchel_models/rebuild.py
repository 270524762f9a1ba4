"""A label model's artefact, made again from its original by the optimiser's own steps.

What was chosen by measurement stands in the recipe as its variant's name; nothing is measured here.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from satchel_models import golden, graph
from satchel_models.caching import Cache
from satchel_models.errors import NumericsError, RecipeError
from satchel_models.label_recipe import LabelRecipe
from satchel_models.pipeline import Pipeline, Told
from satchel_models.recipe import Session, Variant
from satchel_models.results import BUDGETS, Candidate
from satchel_models.subjects import Label
from satchel_models.targets import target
from satchel_models.tools import Equipment

COSINE = 0.98
"""Of the golden outputs, artefact against original, at least: 0.997 was seen."""


@dataclass(frozen=True)
class Rebuilt:
    """What came out.

    Attributes:
        model: The written file.
        golden: The written golden set.
        sha256: Of the model.
        size: Of the model (bytes).
        cosine: Smallest cosine between the original's and the artefact's golden outputs.
    """

    model: Path
    golden: Path
    sha256: str
    size: int
    cosine: float


def rebuild(
    recipe: LabelRecipe,
    variant: Variant,
    out: Path,
    *,
    originals: Path,
    cache: Cache,
    tools: Equipment,
    told: Told = lambda *_: None,
) -> Rebuilt:
    """Make `variant` of `recipe` in `out`.

    Args:
        recipe: What it is.
        variant: Its name is that of a candidate.
        out: An existing folder.
        originals: Where packages with published weights are kept.
        cache: Of the steps' results.
        tools: PyTorch's environment.
        told: Told what goes on.

    Raises:
        RecipeError: The optimiser has no candidate of that name.
        NumericsError: Its answers are too far from the original's, or the file is too large.
    """
    subject = Label(recipe, originals)
    original, made = _made(subject, variant.name, cache, tools, told)
    data = made.file.read_bytes()
    if len(data) > recipe.quantise.max_bytes:
        raise NumericsError(
            f"{recipe.id} has {len(data):,} bytes, more than {recipe.quantise.max_bytes:,}. Take "
            "another candidate, or allow more in its recipe."
        )
    # The converted graph stands for the original: the first step has compared the two.
    before = graph.loaded(original.read_bytes(), Session("basic"))
    after = graph.loaded(data, made.session)
    cases = []
    for image in golden.inputs():
        feeds = {recipe.export.input: image}
        names = [recipe.export.output]
        cases.append(golden.Case(image, before.run(names, feeds)[0], after.run(names, feeds)[0]))
    cosine = min(golden.cosine(case.original, case.artefact) for case in cases)
    if not cosine >= COSINE:
        raise NumericsError(
            f"{recipe.id}: golden outputs have cosine {cosine:.4f} with the original's, "
            f"below {COSINE}."
        )
    (out / variant.file).write_bytes(data)
    golden.save(out / variant.golden, cases)
    return Rebuilt(
        model=out / variant.file,
        golden=out / variant.golden,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        cosine=cosine,
    )


def _made(
    subject: Label, name: str, cache: Cache, tools: Equipment, told: Told
) -> tuple[Path, Candidate]:
    """The converted original, and the candidate at the first level that makes it."""
    known: list[str] = []
    for level in BUDGETS:
        pipeline = Pipeline(subject, target("browser"), level, None, None, 0, tools, cache, told)
        converted = pipeline.converted()
        dataset = pipeline.dataset(converted)
        quantised = pipeline.quantised(pipeline.graph(converted, dataset), converted, dataset)
        for candidate in quantised.candidates:
            if candidate.name == name:
                return converted.file, candidate
        known += [one.name for one in quantised.candidates if one.name not in known]
    raise RecipeError(
        f"{subject.name} has a variant {name!r}, and the optimiser makes {', '.join(known)}."
    )
