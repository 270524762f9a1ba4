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
from typing import Any, Literal

from builder import bundle, headers, litert, models, node, parts, scripts, serviceworker, site
from builder import made as artefacts
from builder.bench import transformers
from builder.bench.visits import REPORTS_TO
from builder.errors import BuildError
from builder.files import replacing, tree
from builder.paths import CACHE, ROOT, STATIC
from builder.progress import doing
from satchel_models.embed_recipe import EmbedRecipe
from satchel_models.transformers_js import transformers_js_folder

SOURCES = Path(__file__).parent / "startup_pages"

FILES = "runtime/bench/"
"""Where the contenders' files lie: in a folder that may be cached for ever, as the site's own."""

PAGES = "bench/"

LABEL_MODEL = "efficientnet-lite0"
EMBED_MODEL = "minilm-l6"

EMBED_SITE = Path(__file__).parent / "embed-site.toml"

ALIKE = 0.99
"""Cosine that two embeddings of one text must at least have."""

PHOTO = STATIC / "samples" / "chelsea.jpg"
TEXT = "A cat sleeps on the warm roof of a car."

CROP = 0.875
"""What Satchel's label task takes of a photo (app/satchel/tasks/label.py)."""

PLAIN = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
WEBGPU = (
    "ort.webgpu.bundle.min.mjs",
    "ort-wasm-simd-threaded.asyncify.mjs",
    "ort-wasm-simd-threaded.asyncify.wasm",
)
"""What transformers.js uses by default; of the same version as the plain build."""

LITERT = tuple(
    f"litert_wasm_{build}internal.{kind}" for build in ("", "threaded_") for kind in ("js", "wasm")
)
"""The builds with relaxed SIMD, which every browser has that is measured with."""

POLICY = {
    "Content-Security-Policy": headers.CSP.replace(
        "'wasm-unsafe-eval'", "'wasm-unsafe-eval' 'unsafe-eval' blob:"
    ).replace("worker-src 'self'", "worker-src 'self' blob:")
}
"""That build composes code from strings, and transformers.js starts it from a blob: no strict
policy lets it. So all of that site's files are sent with this one."""


@dataclass(frozen=True)
class Contender:
    """A page that does the same as Satchel's, otherwise."""

    name: str
    worker: str
    """The script that does it all."""
    urls: Mapping[str, str]
    settings: Mapping[str, Any]
    kind: Literal["module", "classic"] = "module"
    """Of worker."""


def beside_label(dist: Path, out: Path) -> Path:
    """Copy a built site to `out` and put the contenders for its label model beside it."""
    photo = base64.b64encode(PHOTO.read_bytes()).decode()
    with replacing(out) as work:
        shutil.copytree(dist, work, dirs_exist_ok=True)
        _copy(litert.folder(), work / FILES / "litert", [litert.MODULE])
        _copy(node.packages() / "@litertjs/core/wasm", work / FILES / "litert", LITERT)
        shutil.copytree(parts.folder("pyodide"), work / FILES / "pyodide")
        _copy(parts.file("numpy").parent, work / FILES / "pyodide", [parts.file("numpy").name])
        _copy(ROOT / "models" / LABEL_MODEL, work / FILES, ["labels.txt"])
        facts = {"task": "label", "photo": photo}
        _finish(work, facts, _label(work), headers.CSP)
    return out


def beside_embed(dist: Path, out: Path) -> Path:
    """Copy a built site to `out` and put the contenders for its embedding model beside it."""
    recipe = models.load(recipe_of(EMBED_MODEL))
    if not isinstance(recipe, EmbedRecipe):
        raise BuildError(f"{EMBED_MODEL} is no embedding model.")
    with replacing(out) as work:
        shutil.copytree(dist, work, dirs_exist_ok=True)
        runtime = node.packages() / "onnxruntime-web" / "dist"
        _copy(runtime, work / FILES / "ort", (*PLAIN, *WEBGPU))
        for contender, entry in (("tjs_tuned", PLAIN[0]), ("tjs_default", WEBGPU[0])):
            library = transformers.library(f"./ort/{entry}")
            (work / FILES / f"{contender}.mjs").write_bytes(library)
        transformers_js_folder(recipe, work / FILES / "tjs" / EMBED_MODEL, CACHE / "originals")
        _finish(work, {"task": "embed", "text": TEXT}, _embed(), POLICY["Content-Security-Policy"])
    return out


def label_site() -> Path:
    """Build the project's own site, and return the folder that has its contenders too."""
    dist = bundle.build(site.load(ROOT / "site.toml"), ROOT / "dist")
    with doing("Putting the contenders beside the built site …"):
        return beside_label(dist, CACHE / "bench" / "label")


def embed_site() -> tuple[Path, Path]:
    """Build the site with MiniLM; return it, and the folder that has its contenders too."""
    dist = bundle.build(site.load(EMBED_SITE), CACHE / "bench" / "embed-dist")
    with doing("Putting the contenders beside the built site …"):
        return dist, beside_embed(dist, CACHE / "bench" / "embed")


def made(model: str) -> Path:
    """Return the folder that holds a model's artefacts."""
    return artefacts.folder(models.load(recipe_of(model)))


def traced(folder: Path, out: Path) -> Path:
    """Copy a site with its contenders to `out`; there, Satchel's workers note when what is done."""
    with replacing(out) as work:
        shutil.copytree(folder, work, dirs_exist_ok=True)
        trace = scripts.bundle(SOURCES / "timeline.mjs", form="iife")
        urls = _about(work)["urls"]
        for worker in ("engine_worker", "inference_worker"):
            script = work / urls[worker]
            script.write_bytes(trace + script.read_bytes())
        index = work / "index.html"
        page = index.read_text("utf-8")
        index.write_text(page.replace('id="bench">{', 'id="bench">{"traced":true,', 1), "utf-8")
        _keep_all(work, headers.CSP)
    return out


def recipe_of(model: str) -> Path:
    """Return the file of a model's recipe."""
    return ROOT / "models" / model / "recipe.toml"


def variants(folder: Path, model: str) -> list[dict[str, Any]]:
    """Return a model's variants that a built site ships, best first, as its manifest has them.

    Raises:
        BuildError: The site doesn't hold a blob.
    """
    manifest = json.loads(models.artefacts(recipe_of(model)).manifest)
    found: list[dict[str, Any]] = manifest["releases"][0]["platforms"][models.PLATFORM]
    if not all((folder / blob(variant)).is_file() for variant in found):
        raise BuildError("The built site does not hold the model that the recipe names.")
    return found


def blob(variant: Mapping[str, Any]) -> str:
    """Return where on a site a variant's file lies."""
    return f"models/blobs/{variant['blob']['sha256']}"


def _label(folder: Path) -> list[Contender]:
    variant, *_ = variants(folder, LABEL_MODEL)
    if variant["engine"] != "litert":
        raise BuildError(f"The contenders run LiteRT.js, and {LABEL_MODEL} is first for another.")
    urls = {
        "engine": f"{FILES}litert/{litert.MODULE}",
        "wasm": f"{FILES}litert/",
        "pyodide": f"{FILES}pyodide/",
        "model": blob(variant),
        "labels": f"{FILES}labels.txt",
    }
    (size,) = variant["resolutions"]
    settings = {"size": size, "crop": CROP}
    return [
        # Its loader wants importScripts, which module workers lack.
        Contender(name, f"{name}.worker.mjs", urls, settings, "classic")
        for name in ("rawjs", "stock")
    ]


def _embed() -> list[Contender]:
    made = []
    for name, wasm in (("tjs_default", WEBGPU[2]), ("tjs_tuned", PLAIN[1])):
        urls = {
            "library": f"{FILES}{name}.mjs",
            "models": f"{FILES}tjs/",
            "factory": f"{FILES}ort/{WEBGPU[1]}",
            "wasm": f"{FILES}ort/{wasm}",
        }
        settings = {"tuned": name == "tjs_tuned", "model": EMBED_MODEL}
        made.append(Contender(name, "tjs.worker.mjs", urls, settings))
    return made


def _copy(source: Path, target: Path, names: tuple[str, ...] | list[str]) -> None:
    """Copy files: how the site packs its own copies is none of the contenders' business."""
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copyfile(source / name, target / name)


def _finish(
    folder: Path, facts: Mapping[str, Any], contenders: list[Contender], policy: str
) -> None:
    """Write the pages, then the service worker's script, which names all the rest."""
    for name in ("worker.page.mjs", "satchel.page.mjs"):
        (folder / FILES / name).write_bytes(scripts.bundle(SOURCES / name))
    for name, kind in {contender.worker: contender.kind for contender in contenders}.items():
        form = "esm" if kind == "module" else "iife"
        (folder / FILES / name).write_bytes(scripts.bundle(SOURCES / name, form=form))
    for contender in contenders:
        _write_page(folder, contender, facts)
    _prepare_index(folder, facts)
    _keep_all(folder, policy)


def _write_page(folder: Path, contender: Contender, facts: Mapping[str, Any]) -> None:
    told = {
        **facts,
        "root": "../",
        "reportsTo": REPORTS_TO,
        "worker": FILES + contender.worker,
        "workerType": contender.kind,
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
    found = re.split(
        r'(<script type="module" src="assets/boot\.[^>]*></script>)', index.read_text("utf-8")
    )
    if len(found) != 3:
        raise BuildError("The built site's index.html has no boot script, or several.")
    index.write_text(found[0] + found[1] + ours + found[2], "utf-8")


def _keep_all(folder: Path, policy: str) -> None:
    build = _about(folder)["build"]
    written = serviceworker.script(serviceworker.source(), build, dict(tree(folder)))
    # It adds the policy to what it stores.
    (folder / "sw.js").write_bytes(written.replace(headers.CSP.encode(), policy.encode()))


def _about(folder: Path) -> dict[str, Any]:
    """Return what a built site's page knows about itself."""
    html = (folder / "index.html").read_text("utf-8")
    named = re.search(r'<script type="application/json" id="site">(.*?)</script>', html, re.DOTALL)
    if named is None:
        raise BuildError("The built site's index.html says nothing about its build.")
    about: dict[str, Any] = json.loads(named.group(1))
    return about
