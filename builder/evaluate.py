"""Accuracy of a model where it runs: the built site in a real Chromium, beside the original.

Photos and texts go through everything that a visitor's go through: the browser decodes photos,
Python prepares them, the inference worker runs the model. What is measured depends on the task.
"""

import json as json_format
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import track

from builder import evaluate_pairs, lab, models, toolenv
from builder.errors import BuildError
from builder.files import fingerprint
from builder.paths import CACHE, MODELS
from builder.progress import console, say
from builder.report import Report
from satchel_models import Recipe
from satchel_models.embed_recipe import EmbedRecipe
from satchel_models.original import read_labels

VARIABLE = "SATCHEL_DATA"
"""Environment variable that names the evaluation data where no --data is given."""

BATCH = 10
"""Photos for each call into the browser, so that progress shows."""

LABEL_BATCH = """async (files) => {
  const answers = [];
  for (const file of files) {
    const blob = await (await fetch(`/evaluation-data/${file}`)).blob();
    const { predictions, model } = await satchel.engine.call("label", [blob, 1]);
    answers.push({ index: predictions[0].index, version: model.version });
  }
  return answers;
}"""


@dataclass(frozen=True)
class Outcome:
    """What an evaluation found; indices are class indices, one for each photo."""

    truth: list[int]
    browser: list[int]
    original: list[int]

    def as_report(self) -> Report:
        """Return the figures under the names that others read."""
        report = Report("evaluate")
        count = len(self.truth)
        report.figure("top1", self._correct(self.browser) / count, "fraction")
        report.figure("top1_original", self._correct(self.original) / count, "fraction")
        differing = sum(a != b for a, b in zip(self.browser, self.original, strict=True))
        report.figure("disagreements", differing, "photos")
        report.figure("count", count, "photos")
        return report

    def _correct(self, answers: list[int]) -> int:
        return sum(a == b for a, b in zip(self.truth, answers, strict=True))


def run(model: str, *, data: Path | None, variant: str | None, json: Path | None) -> None:
    """Evaluate a recipe's model and print, and perhaps write, the figures.

    Raises:
        BuildError: There is no such recipe or variant, no data, or something failed.
    """
    recipe = models.load(_recipe_file(model))
    chosen = variant or recipe.variants[0].name
    given = data or (Path(os.environ[VARIABLE]) if VARIABLE in os.environ else None)
    if isinstance(recipe, EmbedRecipe):
        report = evaluate_pairs.measure(recipe, chosen, given)
    else:
        report = _labels(recipe, chosen, data_folder(given))
    report.versions["model"] = f"{recipe.id} {recipe.version}"
    report.versions["variant"] = chosen
    width = max(map(len, report.figures))
    for name, figure in report.figures.items():
        console.print(f"{name:>{width}}  {figure['value']:g}  {figure['unit']}")
    if json:
        report.write(json)
        say(f"Wrote {json}.")


def _labels(recipe: Recipe, variant: str, folder: Path) -> Report:
    truth = read_labels(folder)
    files = [file for file, _ in truth]
    browser = in_browser(recipe, folder, files, variant)
    original = of_original(recipe.id, folder)
    return Outcome(
        [index for _, index in truth], browser, [original[file] for file in files]
    ).as_report()


def in_browser(recipe: Recipe, data: Path, files: list[str], variant: str) -> list[int]:
    """Return the class index that the built site gives for each photo."""
    folder = lab.built(recipe, variant)
    answers: list[int] = []
    with lab.opened(folder, mounts={"/evaluation-data": data}) as page:
        lab.install(page, recipe.id)
        starts = range(0, len(files), BATCH)
        for start in track(starts, "In the browser", console=console):
            batch = page.evaluate(LABEL_BATCH, files[start : start + BATCH])
            answers.extend(answer["index"] for answer in batch)
    return answers


def of_original(model: str, data: Path) -> dict[str, int]:
    """Return the class index that the PyTorch original gives for each photo, by file name.

    Kept by the content of the recipe and the data, since it does not change.
    """
    sources = [data, MODELS / model / "recipe.toml", MODELS / "satchel_models"]
    kept = CACHE / "original" / f"{model}-{fingerprint(sources)[:16]}.json"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        say("Asking the PyTorch original …")
        arguments = [model, "--data", str(data), "--json", str(kept)]
        if toolenv.run("torch", "satchel_models.original", *arguments):
            raise BuildError(f"The original of {model} could not be run; it has said why above.")
    found: dict[str, Any] = json_format.loads(kept.read_text("utf-8"))
    return {item["file"]: item["predicted"] for item in found["predictions"]}


def _recipe_file(model: str) -> Path:
    path = MODELS / model / "recipe.toml"
    if not path.is_file():
        known = ", ".join(sorted(found.parent.name for found in MODELS.glob("*/recipe.toml")))
        raise BuildError(f"There is no recipe {model!r}; models/ has {known or 'none'}.")
    return path


def data_folder(folder: Path | None) -> Path:
    """Return the folder of labelled photos that was given.

    Raises:
        BuildError: There is none, or it holds none.
    """
    if folder is None:
        raise BuildError(
            "Evaluation needs labelled photos: --data DIR (or the variable "
            f"{VARIABLE}), a folder of images with labels.csv (file,class_index)."
        )
    if not (folder / "labels.csv").is_file():
        raise BuildError(f"{folder} holds no labels.csv (file,class_index).")
    return folder.resolve()
