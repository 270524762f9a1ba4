"""`build.py new`: a small site of one's own, for a model of one's own.

Five small files and nothing of ours: `site.toml` says what the page holds, the recipe where the
model is and what goes into it. What they say nothing about has a sensible value.
"""

import json
import os
import re
from pathlib import Path

from builder.errors import BuildError
from builder.files import write_whole
from builder.paths import ROOT
from builder.progress import say

_SITE = """\
# What this page holds. Beside this file, once they are made: root.json (whom the page trusts;
# commit it) and repository/ (the signed releases; keep it, or a copy). Satchel's docs/updates.md
# has more.
title = {title}
description = {description}

[[models]]
id = {id} # its recipe: models/{folder}/recipe.toml
task = {task}
title = {title}
"""

_RECIPE = """\
# The model, for `build.py optimize`. Optional: licence = "MIT", [[notices]] for others' work in it.
id = {id}
task = {task}
title = {title}
version = "1.0.0" # a release needs a higher one than the last
changelog = "First release."

[source]
file = {file} # ONNX, PyTorch, Keras, SavedModel, a Hugging Face folder; from this folder
"""

_OF_TASK = {
    "label": """
# From a photo to the model: (pixel - mean) / scale, pixels 0 … 255. Size and channels are read from
# the model; what it leaves open is said here: size = [224], colour = "rgb", layout = "nchw".
[label]
labels = "labels.txt" # the classes' names, one a line, in the order of the model's output
output = "logits" # or "probabilities", where the model ends with a softmax
mean = [0] # ImageNet's, as torchvision has it: [123.675, 116.28, 103.53]
scale = [255] # and: [58.395, 57.12, 57.375]; a negative scale turns dark into light
crop = 1.0 # part of the photo's shorter side that the model sees
""",
    "embed": """
# A BERT-like encoder: input_ids, attention_mask → a vector for each token, or one for a text.
[embed]
vocabulary = "vocab.txt" # or tokenizer.json; lower-casing
max_tokens = 256
# pooling = "mean" # or "cls", or "none" where the model gives one vector already
""",
    "tensors": """
# Dynamic axes are 1 in made-up inputs (a release's golden set), unless it is said here by name.
[tensors.sizes]
""",
}

_IGNORE = """\
# Made by build; everything else here is worth keeping.
/dist/
"""

_README = """\
# {title}

A page that runs a model on its visitors' own devices, also offline, and keeps it up to date.
`site.toml` says what is on it; `{recipe}` where the model is and what goes into it.

Here, once the model{labels} is there:

    python3 {build} optimize models/{id}
    python3 {build} serve --site site.toml
    python3 {build} release {id} --site site.toml --version 1.1.0 --changelog "What is better now."

The first makes the model small and fast for browsers, and says what that costs: again whenever the
model has changed. The second builds the page and shows it. The third publishes a new version,
signed; then `build --site site.toml` and upload `dist/`. Before others use it, make real keys:

    python3 {build} keys make --site site.toml
"""


def create(
    folder: Path,
    *,
    title: str | None = None,
    model_id: str | None = None,
    task: str = "tensors",
    model: Path | None = None,
) -> None:
    """Write a site's files into a folder.

    Args:
        folder: Empty, or not there yet.
        title: The page's; None: the folder's name.
        model_id: None: the folder's name.
        task: One of `builder.site.TASKS`.
        model: The model's file or folder, which needs not be there yet; it stays where it is. None:
            `model.onnx` beside the recipe.

    Raises:
        BuildError: The folder isn't empty, or a name can't be one.
    """
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BuildError(
            f"{folder} isn't empty, and a new site begins in an empty folder. Choose another name, "
            "or move away what is there."
        )
    model_id = model_id or re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", model_id):
        raise BuildError(
            f"{model_id!r} can't be a model's id: it holds a–z, 0–9, dot and - alone. "
            "Choose one: --id NAME"
        )
    title = title or folder.name
    place = folder / "models" / model_id
    words = {
        "id": _text(model_id),
        "folder": model_id,
        "task": _text(task),
        "title": _text(title),
        "description": _text(f"{title}: a model that runs on your own device, also offline."),
        "file": _text(_relative(model.absolute(), place) if model else "model.onnx"),
    }
    program = ROOT / "build.py"
    for path, content in {
        folder / "site.toml": _SITE.format(**words),
        place / "recipe.toml": _RECIPE.format(**words) + _OF_TASK[task],
        folder / ".gitignore": _IGNORE,
        folder / "README.md": _README.format(
            title=title,
            recipe=f"models/{model_id}/recipe.toml",
            build=min(_relative(program, folder), program.as_posix(), key=len),
            id=model_id,
            labels={"label": " with its `labels.txt`", "embed": " with its vocabulary"}.get(
                task, ""
            ),
        ),
    }.items():
        write_whole(path, content)
    say(f"Made {folder}. Next: its README.md has the three commands.")
    if model is None or not model.exists():
        wanted = model.absolute() if model else place / "model.onnx"
        say(f"The model isn't there yet: put it at {wanted}.")


def _relative(path: Path, start: Path) -> str:
    """A path from a folder."""
    try:
        return Path(os.path.relpath(path, start)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def _text(value: str) -> str:
    """Text as TOML has it: JSON's escapes are among TOML's."""
    return json.dumps(value, ensure_ascii=False)
