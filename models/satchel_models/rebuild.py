"""A label model's artefact, made again from the PyTorch original.

    python -m satchel_models.rebuild efficientnet-lite0 --out DIR

Writes the variant's model and golden set to DIR and says how far each step moved the outputs.
With the pinned tools of requirements/torch.txt, the model's bytes are those that are committed.
"""

import argparse
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from satchel_models import golden, graph, interface, original, source
from satchel_models.errors import ModelError, NumericsError
from satchel_models.export import export
from satchel_models.label_recipe import LabelRecipe
from satchel_models.quantisation import storage
from satchel_models.recipe import Variant

# Probabilities. The graph passes only reorder float32 arithmetic: 3e-8 was seen.
EXACT = 1e-5
# Of the golden outputs, artefact against original: 0.997 was seen.
COSINE = 0.98


@dataclass(frozen=True)
class Rebuilt:
    """What came out.

    Attributes:
        model: The written file.
        golden: The written golden set.
        sha256: Of the model.
        size: Of the model (bytes).
        stored: How its weights are stored.
        exact: Largest difference of a probability between PyTorch and the float32 graph.
        cosine: Smallest cosine between PyTorch's and the artefact's golden outputs.
    """

    model: Path
    golden: Path
    sha256: str
    size: int
    stored: storage.Stored
    exact: float
    cosine: float


def rebuild(recipe: LabelRecipe, variant: Variant, out: Path, cache: Path) -> Rebuilt:
    """Make `variant` of `recipe` in `out`; packages that are missing come to `cache`.

    Raises:
        SourceError: the original can't be had.
        NumericsError: a step changed the outputs more than it may, or the file is too large.
    """
    model = source.load(recipe.source, cache)
    fused = graph.optimised(export(model, recipe.export))
    quantised, stored = storage.quantised(fused, recipe.quantise.half_up_to)
    packed = graph.canonical(interface.with_interface(quantised, recipe.export, recipe.preprocess))
    plain = interface.with_interface(fused, recipe.export, recipe.preprocess)
    data = packed.SerializeToString(deterministic=True)
    if len(data) > recipe.quantise.max_bytes:
        raise NumericsError(
            f"{recipe.id} has {len(data):,} bytes, more than {recipe.quantise.max_bytes:,}. "
            "Lower quantise.half_up_to."
        )
    cases = []
    exact = 0.0
    for image in golden.inputs():
        right = original.probabilities(model, image, recipe.preprocess)
        feeds: dict[str, Any] = {recipe.export.input: image}
        exact = max(exact, graph.check_same("fused graph", right, graph.run(plain, feeds), EXACT))
        cases.append(golden.Case(image, right, graph.run(data, feeds)))
    cosine = min(golden.cosine(case.original, case.artefact) for case in cases)
    if not cosine >= COSINE:
        raise NumericsError(
            f"{recipe.id}: golden outputs have cosine {cosine:.4f} with the original's, "
            f"below {COSINE}."
        )
    out.mkdir(parents=True, exist_ok=True)
    (out / variant.file).write_bytes(data)
    golden.save(out / variant.golden, cases)
    return Rebuilt(
        model=out / variant.file,
        golden=out / variant.golden,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        stored=stored,
        exact=exact,
        cosine=cosine,
    )


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="satchel_models.rebuild", description=__doc__)
    parser.add_argument("model", help="the recipe's id")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--variant", help="the recipe's first without it")
    parser.add_argument("--recipes", type=Path, default=original.RECIPES)
    parser.add_argument("--cache", type=Path, default=Path(".cache/originals"))
    options = parser.parse_args(arguments)
    try:
        recipe = LabelRecipe.load(options.recipes / options.model)
        variant = recipe.variant(options.variant or recipe.variants[0].name)
        done = rebuild(recipe, variant, options.out, options.cache)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    before = recipe.folder / variant.file
    same = before.is_file() and before.read_bytes() == done.model.read_bytes()
    print(f"{done.model}: {done.size:,} bytes, sha256 {done.sha256}")
    print(
        f"  weights: {done.stored.int8} tensors int8, {done.stored.float16} float16; "
        f"other tensors: {done.stored.untouched}"
    )
    print(f"  float32 graph against PyTorch: largest difference {done.exact:.1e}")
    print(f"  golden outputs against PyTorch: cosine {done.cosine:.4f} at worst")
    print(f"  {'the same bytes as' if same else 'other bytes than'} {before}")
    return 0


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    raise SystemExit(main())
