"""Accuracy of a model where it runs: the built site in a real Chromium, beside the original.

The photos go through everything that a visitor's photo goes through: the browser decodes them,
Python prepares them, the inference worker runs the model.
"""

import json as json_format
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import track

from builder import bundle, lab, models, toolenv
from builder.errors import BuildError
from builder.files import fingerprint
from builder.paths import CACHE, MODELS, ROOT
from builder.progress import console, say
from builder.report import Report
from builder.site import Site, SiteModel
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
    folder = _data_folder(data)
    truth = read_labels(folder)
    files = [file for file, _ in truth]
    browser = in_browser(model, folder, files, variant)
    original = of_original(model, folder)
    outcome = Outcome([index for _, index in truth], browser, [original[file] for file in files])
    report = outcome.as_report()
    report.versions["model"] = f"{recipe.id} {recipe.version}"
    report.versions["variant"] = variant or recipe.variants[0].name
    for name, figure in report.figures.items():
        console.print(f"{name:>14}  {figure['value']:g}  {figure['unit']}")
    if json:
        report.write(json)
        say(f"Wrote {json}.")


def in_browser(model: str, data: Path, files: list[str], variant: str | None) -> list[int]:
    """Return the class index that the built site gives for each photo."""
    recipe = models.load(_recipe_file(model))
    chosen = variant or recipe.variants[0].name
    entry = SiteModel(recipe.id, recipe.task, recipe.title, recipe.folder / "recipe.toml", chosen)
    site = Site(ROOT / "site.toml", f"Evaluation of {model}", "", (entry,))
    folder = bundle.build(site, CACHE / "evaluate" / f"{model}-{chosen}")
    answers: list[int] = []
    with lab.opened(folder, mounts={"/evaluation-data": data}) as page:
        lab.call(page, "install", model)
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


def _data_folder(given: Path | None) -> Path:
    folder = given or (Path(os.environ[VARIABLE]) if VARIABLE in os.environ else None)
    if folder is None:
        raise BuildError(
            "Evaluation needs labelled photos: --data DIR (or the variable "
            f"{VARIABLE}), a folder of images with labels.csv (file,class_index)."
        )
    if not (folder / "labels.csv").is_file():
        raise BuildError(f"{folder} holds no labels.csv (file,class_index).")
    return folder.resolve()
