"""The site of `bench startup`: a built site, and beside it the pages that it is compared with.

All lie in one folder, so that one service worker (the site's own script, with a longer list) keeps
them all, and one server sends them with the same headers.
"""

import base64
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder import models, parts, scripts, serviceworker
from builder.bench.visits import REPORTS_TO
from builder.errors import BuildError
from builder.files import replacing, tree
from builder.paths import ROOT, STATIC

SOURCES = Path(__file__).parent / "startup_page"

FILES = "runtime/bench/"
"""Where the contenders' files lie: in a folder that may be cached for ever, as the site's own."""

PAGES = "bench/"
PHOTO = STATIC / "samples" / "chelsea.jpg"

SIZE = 224
CROP = 0.875
"""What Satchel's label task takes of a photo (app/satchel/tasks/label.py)."""

SCRIPTS = ("worker.page.mjs", "satchel.page.mjs", "rawjs.worker.mjs", "stock.worker.mjs")


@dataclass(frozen=True)
class Contender:
    """A page that does the same as Satchel's, otherwise."""

    name: str
    worker: str
    """The script that does it all."""
    urls: Mapping[str, str]
    settings: Mapping[str, Any]


def make(dist: Path, out: Path, model: str) -> Path:
    """Copy a built site to `out` and put the contenders for its label model beside it."""
    with replacing(out) as work:
        shutil.copytree(dist, work, dirs_exist_ok=True)
        _write_files(work, model)
        facts = {"task": "label", "photo": base64.b64encode(PHOTO.read_bytes()).decode()}
        for contender in _label(work, model):
            _write_page(work, contender, facts)
        _prepare_index(work, facts)
        _keep_all(work)
    return out


def _label(folder: Path, model: str) -> list[Contender]:
    variant = shipped(folder, model)
    urls = {
        "ort": f"{FILES}ort/ort.wasm.bundle.min.mjs",
        "wasm": f"{FILES}ort/ort-wasm-simd-threaded.wasm",
        "pyodide": f"{FILES}pyodide/",
        "model": f"models/blobs/{variant['blob']['sha256']}",
        "labels": f"{FILES}labels.txt",
    }
    settings = {"size": SIZE, "crop": CROP, "options": variant["session"]}
    return [Contender(name, f"{name}.worker.mjs", urls, settings) for name in ("rawjs", "stock")]


def shipped(folder: Path, model: str) -> dict[str, Any]:
    """Return the variant of a model that a built site ships, as its manifest describes it.

    Raises:
        BuildError: The site doesn't hold its blob.
    """
    recipe = ROOT / "models" / model / "recipe.toml"
    manifest = json.loads(models.artefacts(recipe).manifest)
    variant: dict[str, Any] = manifest["releases"][0]["platforms"][models.PLATFORM][0]
    if not (folder / "models" / "blobs" / variant["blob"]["sha256"]).is_file():
        raise BuildError("The built site does not hold the model that the recipe names.")
    return variant


def _write_files(folder: Path, model: str) -> None:
    """Write the contenders' own copies: how the site packs its parts is none of their business."""
    target = folder / FILES
    shutil.copytree(parts.folder("onnxruntime"), target / "ort")
    shutil.copytree(parts.folder("pyodide"), target / "pyodide")
    numpy = parts.file("numpy")
    shutil.copyfile(numpy, target / "pyodide" / numpy.name)
    shutil.copyfile(ROOT / "models" / model / "labels.txt", target / "labels.txt")
    for name in SCRIPTS:
        (target / name).write_bytes(scripts.bundle(SOURCES / name))


def _write_page(folder: Path, contender: Contender, facts: Mapping[str, Any]) -> None:
    told = {
        **facts,
        "root": "../",
        "reportsTo": REPORTS_TO,
        "worker": FILES + contender.worker,
        "urls": dict(contender.urls),
        "settings": dict(contender.settings),
    }
    template = (SOURCES / "page.html").read_text("utf-8")
    page = folder / PAGES / f"{contender.name}.html"
    page.parent.mkdir(exist_ok=True)
    page.write_text(template.replace('"{{facts}}"', scripts.json_for_html(told)), "utf-8")


def _prepare_index(folder: Path, facts: Mapping[str, Any]) -> None:
    """Give Satchel's own page its input: right after its boot script, which it needs first."""
    index = folder / "index.html"
    told = scripts.json_for_html({**facts, "root": "./", "reportsTo": REPORTS_TO})
    ours = (
        f'<script type="application/json" id="bench">{told}</script>'
        f'<script type="module" src="{FILES}satchel.page.mjs"></script>'
    )
    before, boot, after = re.split(
        r'(<script type="module" src="assets/boot\.[^>]*></script>)', index.read_text("utf-8")
    )
    index.write_text(before + boot + ours + after, "utf-8")


def _keep_all(folder: Path) -> None:
    """Write the service worker anew, with a list that holds the contenders too."""
    html = (folder / "index.html").read_text("utf-8")
    named = re.search(r'<script type="application/json" id="site">(.*?)</script>', html, re.DOTALL)
    if named is None:
        raise BuildError("The built site's index.html says nothing about its build.")
    build = json.loads(named.group(1))["build"]
    written = serviceworker.script(serviceworker.source(), build, dict(tree(folder)))
    (folder / "sw.js").write_bytes(written)
