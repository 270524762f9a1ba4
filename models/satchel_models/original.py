"""The fp32 PyTorch original over a folder of photos: what every artefact is compared with.

    python -m satchel_models.original efficientnet-lite0 --data DIR --json OUT

`DIR` holds photos and `labels.csv` (`file,class_index`). `OUT` (or stdout) gets
`{"schema": 1, "model", "count", "top1", "predictions": [{"file", "class_index", "predicted",
"score"}, …]}`, in the order of labels.csv; `top1` and `score` are fractions of 1.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel_models import source
from satchel_models.errors import ModelError
from satchel_models.label_recipe import LabelRecipe, Preprocess

RECIPES = Path(__file__).resolve().parent.parent
BATCH = 10  # photos; more doesn't make two cores faster
LABELS = "labels.csv"


@dataclass(frozen=True)
class Prediction:
    """What a model says about one photo, beside what it is."""

    file: str
    class_index: int
    predicted: int
    score: float


def read_labels(folder: Path) -> list[tuple[str, int]]:
    """File names and class indices of `folder/labels.csv`.

    Raises:
        ModelError: no such file, or a row without `file` and a numeric `class_index`.
    """
    path = folder / LABELS
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            return [(row["file"], int(row["class_index"])) for row in csv.DictReader(lines)]
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} needs the columns file,class_index: {error!r}.") from error


def photo(path: Path, preprocess: Preprocess) -> NDArray[np.uint8]:
    """A photo as the original wants it: shorter side to `resize`, centre crop, RGB, upright.

    Returns:
        uint8 [crop, crop, 3].
    """
    return fitted(path, preprocess.resize / preprocess.crop, preprocess.crop, preprocess.crop)


def fitted(path: Path, margin: float, height: int, width: int) -> NDArray[np.uint8]:
    """A photo's middle, RGB, upright.

    Args:
        path: Of the photo.
        margin: How much longer the photo is made than the crop, along the side that limits it.
        height: Of the crop (pixels).
        width: Of the crop.

    Returns:
        uint8 [height, width, 3].

    Raises:
        OSError: It is no image, or a damaged one.
    """
    from PIL import Image, ImageOps

    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened).convert("RGB")
    factor = max(round(height * margin) / image.height, round(width * margin) / image.width)
    if factor != 1:
        w, h = (round(side * factor) for side in image.size)
        image = image.resize((max(width, w), max(height, h)), Image.Resampling.BICUBIC)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return np.asarray(image.crop((left, top, left + width, top + height)), np.uint8)


def probabilities(
    model: Any, images: NDArray[np.uint8], preprocess: Preprocess
) -> NDArray[np.float32]:
    """The original's answers.

    Args:
        model: The `torch.nn.Module` of `source.load`.
        images: uint8 [batch, height, width, 3].
        preprocess: Mean and scale.

    Returns:
        float32 [batch, classes], rows summing to 1.
    """
    import torch

    pixels = (images.astype(np.float32) - preprocess.mean) / np.float32(preprocess.scale)
    planes = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
    with torch.inference_mode():
        result: NDArray[np.float32] = torch.softmax(model(torch.from_numpy(planes)), 1).numpy()
    return result


def predictions(model: Any, recipe: LabelRecipe, folder: Path) -> Iterator[Prediction]:
    """What `model` says about each photo of `folder`, in the order of its labels.csv."""
    rows = read_labels(folder)
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        images = np.stack([photo(folder / name, recipe.preprocess) for name, _ in batch])
        scores = probabilities(model, images, recipe.preprocess)
        for (name, truth), row in zip(batch, scores, strict=True):
            best = int(row.argmax())
            yield Prediction(name, truth, best, float(row[best]))


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="satchel_models.original", description=__doc__)
    parser.add_argument("model", help="the recipe's id")
    parser.add_argument("--data", type=Path, required=True, help="photos and labels.csv")
    parser.add_argument("--json", type=Path, help="where to write; stdout without it")
    parser.add_argument("--recipes", type=Path, default=RECIPES)
    parser.add_argument("--cache", type=Path, default=Path(".cache/originals"))
    options = parser.parse_args(arguments)
    try:
        recipe = LabelRecipe.load(options.recipes / options.model)
        model = source.load(recipe.source, options.cache)
        found = list(predictions(model, recipe, options.data))
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    right = sum(p.predicted == p.class_index for p in found)
    report = {
        "schema": 1,
        "model": recipe.id,
        "count": len(found),
        "top1": right / len(found) if found else None,
        "predictions": [asdict(p) for p in found],
    }
    text = json.dumps(report, indent=1) + "\n"
    if options.json:
        options.json.write_text(text, encoding="utf-8")
        print(f"{recipe.id}: {right} of {len(found)} right", file=sys.stderr)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
