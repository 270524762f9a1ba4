"""An artefact beside its PyTorch original, photo by photo, both on this machine's CPU.

    python -m satchel_models.agreement efficientnet-lite0 --data DIR [--file FILE]

Prints `{"schema": 1, "model", "figures": {…}}`. Artefacts are chosen by `divergence` and
`disagreements`, which need no labels: choosing by accuracy on a sample would fit the sample.
The accuracy that counts is measured in the browser, by `build.py evaluate`.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from satchel_models import graph, original, source
from satchel_models.errors import ModelError
from satchel_models.label_recipe import LabelRecipe


@dataclass(frozen=True)
class Agreement:
    """How an artefact's answers compare with the original's.

    Attributes:
        count: Photos.
        top1: Share of photos that the artefact labels rightly (fraction of 1).
        top1_original: The original's share.
        disagreements: Photos whose first labels differ.
        divergence: Mean Kullback–Leibler divergence of the artefact from the original (nats).
    """

    count: int
    top1: float
    top1_original: float
    disagreements: int
    divergence: float


def compare(
    truth: NDArray[np.int64], before: NDArray[np.float32], after: NDArray[np.float32]
) -> Agreement:
    """Compare two models' probabilities.

    Args:
        truth: Class indices, [photos].
        before: The original's probabilities, [photos, classes].
        after: The artefact's.
    """
    tiny = np.finfo(np.float32).tiny
    # float64: the divergence is a small difference of large sums.
    ours, theirs = after.astype(np.float64), before.astype(np.float64)
    logs = np.log(np.maximum(theirs, tiny)) - np.log(np.maximum(ours, tiny))
    first, second = before.argmax(axis=1), after.argmax(axis=1)
    return Agreement(
        count=len(truth),
        top1=float((second == truth).mean()),
        top1_original=float((first == truth).mean()),
        disagreements=int((first != second).sum()),
        divergence=float((theirs * logs).sum(axis=1).mean()),
    )


def measure(recipe: LabelRecipe, model: Path, data: Path, cache: Path) -> Agreement:
    """Run both models over the photos of `data` (see `original.read_labels`)."""
    torch_model = source.load(recipe.source, cache)
    session: onnxruntime.InferenceSession = graph.session(model.read_bytes())
    rows = original.read_labels(data)
    before, after = [], []
    for name, _ in rows:
        image = original.photo(data / name, recipe.preprocess)[None]
        before.append(original.probabilities(torch_model, image, recipe.preprocess))
        after.append(session.run([recipe.export.output], {recipe.export.input: image})[0])
    truth = np.array([index for _, index in rows], np.int64)
    return compare(truth, np.concatenate(before), np.concatenate(after))


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="satchel_models.agreement", description=__doc__)
    parser.add_argument("model", help="the recipe's id")
    parser.add_argument("--data", type=Path, required=True, help="photos and labels.csv")
    parser.add_argument("--variant", help="the recipe's first without it")
    parser.add_argument("--file", type=Path, help="another file than the variant's")
    parser.add_argument("--recipes", type=Path, default=original.RECIPES)
    parser.add_argument("--cache", type=Path, default=Path(".cache/originals"))
    options = parser.parse_args(arguments)
    try:
        recipe = LabelRecipe.load(options.recipes / options.model)
        variant = recipe.variant(options.variant or recipe.variants[0].name)
        file = options.file or recipe.folder / variant.file
        found = measure(recipe, file, options.data, options.cache)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps({"schema": 1, "model": recipe.id, "figures": asdict(found)}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
