"""One static folder out of everything: parts, engine, page, models.

The folder is made beside the old one and takes its place only when all went well. Nothing in it
but the models' signatures depends on the time or the machine, and every URL in it is relative (but
for models that have an origin of their own).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from builder import (
    archives,
    bytecode,
    engines,
    headers,
    interface,
    models,
    notices,
    page,
    parts,
    pyodide,
    scripts,
    serviceworker,
    wheel,
    wire,
)
from builder.errors import BuildError, InputMissingError
from builder.files import fingerprint, folder_hash, replacing, sha256, short, tree, write_whole
from builder.paths import APP, CACHE, ROOT, STATIC
from builder.progress import doing, say
from builder.release import layout, source, upload
from builder.release.trust import Trust
from builder.site import Site
from builder.snapshot import record
from satchel_models.own_recipe import OwnRecipe

LARGEST = 25_000_000
"""No file may be bigger, in bytes: static hosts refuse more (Cloudflare Pages: 25 MiB)."""

MODELS = "models/"
"""Where a page has its models, unless they have an origin of their own."""

STAMPS = CACHE / "built"


def build(site: Site, out: Path, *, repository: Path | None = None) -> Path:
    """Make the site's folder at `out`, or do nothing when nothing changed.

    Args:
        site: What to build.
        out: Where to.
        repository: The release repository that the models come from; None: the site's own, or a
            development one in the cache.

    Raises:
        InputMissingError: The page, the engine or a model lacks a file; the message names it.
        BuildError: Anything else that can't be done; the old folder is left as it was.
    """
    out = out.resolve()
    STAMPS.mkdir(parents=True, exist_ok=True)
    with FileLock(STAMPS / f"{short(str(out))}.lock"):
        return _build(site, out, source.locate(site, repository))


def _build(site: Site, out: Path, repository: Path) -> Path:
    stamp = STAMPS / f"{short(str(out))}.json"
    inputs = _inputs(site, repository)
    if _is_current(stamp, inputs, out):
        say(f"{out} is up to date.")
        return out
    if out.exists() and any(out.iterdir()) and not (out / "sw.js").is_file():
        raise BuildError(f"{out} isn't empty and holds no site of ours; choose another --out.")
    with doing(f"Building {site.title} …"), replacing(out) as work:
        _Bundle(site, work, repository).make()
        kept = _listing(work)
    write_whole(stamp, json.dumps({"inputs": inputs, "files": kept}))
    size = sum(length for length in kept.values()) / 1e6
    say(f"Built {out}: {len(kept)} files, {size:.1f} MB.")
    return out


def _inputs(site: Site, repository: Path) -> str:
    """Name everything that the folder is made from."""
    sources = [
        site.file,
        ROOT / "builder",
        ROOT / "pyproject.toml",
        ROOT / "README.md",
        ROOT / "LICENSE",
        APP / "satchel",
        APP / "ui",
        ROOT / "requirements" / "main.txt",
        *sorted(APP.glob("*.py")),
        *(path for path in sorted(STATIC.iterdir()) if path.name != "node_modules"),
        *source.inputs(site, repository),
    ]
    for entry in site.models:
        sources += models.inputs(models.load(entry.recipe))
    facts = [f"models from {site.models_url}", *(["snapshot"] if record.available() else [])]
    return fingerprint(sources, *facts)


def _listing(folder: Path) -> dict[str, int]:
    return {name: path.stat().st_size for name, path in tree(folder)}


def _is_current(stamp: Path, inputs: str, out: Path) -> bool:
    try:
        known = json.loads(stamp.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(known["inputs"] == inputs and known["files"] == _listing(out))


class _Bundle:
    """One build: fills a folder step by step, and keeps the URLs that later steps need."""

    def __init__(self, site: Site, folder: Path, repository: Path) -> None:
        self.site = site
        self.folder = folder
        self.repository = repository
        models = site.models_url or MODELS
        self.urls: dict[str, str] = {
            **{name: f"{models}{name}/" for name in layout.SERVED},
            "notices": "notices.txt",
        }
        self.pyodide: dict[str, Any] = {}
        """What Python is started from, in the page's own words (app/static/python.mjs)."""
        self.snapshot: dict[str, Any] | None = None
        self.python: list[str] = []
        """What a first visit downloads to start Python."""
        self.engines: dict[str, Any] = {}
        """The inference engines, in the page's own words (app/static/engines.mjs)."""

    def make(self) -> None:
        """Write every file, those that name others last."""
        self._runtime()
        self._snapshot()
        self._engine()
        trusted, made = self._models()
        self._engines(made)
        collected = notices.collect([model.recipe for model in made], [*self.engines])
        self._write("notices.txt", notices.document(self.site.title, collected).encode())
        style = self._asset("style.css", scripts.bundle(STATIC / "style.css"))
        boot = self._asset("boot.mjs", scripts.bundle(STATIC / "boot.mjs"))
        tasks = [entry.task for entry in self.site.models]
        # A page shows the first model of each task.
        first = {model.recipe.task: model.recipe for model in reversed(made)}
        ours = {task for task, recipe in first.items() if not isinstance(recipe, OwnRecipe)}
        self._pictures("icons")
        if "label" in ours:
            self._pictures("samples")
        words = {"title": self.site.title, "description": self.site.description}
        manifest = page.fill(_text(STATIC / "site.webmanifest"), words, quote=page.in_json)
        self._write("site.webmanifest", manifest.encode())
        ui = self._asset("interface.mjs", interface.script(tasks))
        template = page.for_tasks(_text(STATIC / "index.html"), tasks, ours)
        worker = serviceworker.source()
        python = sum((self.folder / url).stat().st_size for url in self.python)
        about = page.about(self.site, self.urls, {"Python": python}, made, collected)
        about["engines"] = self.engines
        about["trust"] = page.trust(trusted)
        about["models_origin"] = self.site.models_origin
        about["pyodide"] = self.pyodide
        about["python"] = self.python
        if self.snapshot:
            about["snapshot"] = self.snapshot
        # Everything that a reader's browser gets is in this name, so that a change is an update.
        about["build"] = build = short(
            "\n".join(
                [
                    # Models apart: the page pins those it needs, and new signatures change nothing.
                    folder_hash(self._hashes()),
                    template,
                    scripts.json_for_html(about),
                    worker,
                    headers.headers_file(self.site.models_origin),
                ]
            )
        )
        html = page.index(
            template,
            {
                **words,
                "csp": headers.meta_policy(self.site.models_origin),
                "style": style,
                "boot": boot,
                "interface": ui,
                "micropython": self.urls["micropython"],
            },
            about,
        )
        self._write("index.html", html.encode())
        origin = self.site.models_origin
        of_engines = serviceworker.of_engines(self.engines)
        kept = serviceworker.script(worker, build, dict(tree(self.folder)), origin, of_engines)
        self._write("sw.js", kept)
        self._write("_headers", headers.headers_file(origin).encode())
        names = upload.ordered(name for name, _ in tree(self.folder))
        self._write(upload.LIST, "".join(f"{name}\n" for name in names).encode())
        self._check_sizes()

    def _runtime(self) -> None:
        """Write the parts: what is large in its wire form, the rest as it is."""
        folder = parts.folder("pyodide")
        shortened = pyodide.runtime()
        loader = (folder / "pyodide.mjs").read_bytes()
        files = {"pyodide.mjs": loader, pyodide.SCRIPT: shortened.script}
        stdlib = archives.standard_library()
        large = {
            pyodide.WASM: shortened.wasm,
            "python_stdlib.zip": stdlib,
        }
        runtime = self.urls["pyodide"] = self._part("pyodide", files, large)
        libraries = record.libraries()
        numpy = self._part(
            "numpy",
            {},
            {
                "numpy.zip": archives.numpy(),
                **{library.name: library.content for library in libraries},
            },
        )
        self.pyodide = {
            "lock": json.loads((folder / "pyodide-lock.json").read_bytes())["info"],
            "wasm": f"{runtime}{pyodide.WASM}{wire.SUFFIX}",
            "stdlib": {
                "url": f"{runtime}python_stdlib.zip{wire.SUFFIX}",
                "bytes": len(stdlib),
            },
            "site_packages": record.SITE_PACKAGES,
            "numpy": f"{numpy}numpy.zip{wire.SUFFIX}",
            "libraries": [
                {"path": library.path, "url": f"{numpy}{library.name}{wire.SUFFIX}"}
                for library in libraries
            ],
        }
        python = _contents(parts.folder("micropython"))
        self.urls["micropython"] = self._part("micropython", python)

    def _engines(self, made: Sequence[source.Pinned]) -> None:
        """Write the inference engines that some release of the site's models has a variant for."""
        named = {
            variant.engine
            for model in made
            for release in model.signed.manifest.releases
            for variant in release.variants(models.PLATFORM)
        }
        for engine in (engines.of(name) for name in sorted(named)):
            folder = self._part(engine.name, engine.files, engine.large)
            self.engines[engine.name] = {
                "urls": {name: folder + file for name, file in engine.urls.items()},
                "title": engine.title,
                "version": engine.version,
                "builds": [self._build(folder, build) for build in engine.builds],
            }

    def _build(self, folder: str, build: engines.Build) -> dict[str, Any]:
        """Return what the page knows of an engine's build: its files, and how they are verified."""
        urls = [folder + file for file in build.files]
        return {
            "needs": build.needs,
            "files": {url: serviceworker.integrity(self.folder / url) for url in urls},
            "bytes": sum((self.folder / url).stat().st_size for url in urls),
        }

    def _snapshot(self) -> None:
        """Write the snapshot that Python starts from, where there can be one."""
        self.python = [
            self.pyodide["wasm"],
            *(library["url"] for library in self.pyodide["libraries"]),
        ]
        recorded = record.snapshot()
        if recorded is None:
            self.python += [self.pyodide["stdlib"]["url"], self.pyodide["numpy"]]
            return
        folder = self._part("snapshot", {}, {"python.snapshot": recorded.content})
        self.snapshot = {
            "url": f"{folder}python.snapshot{wire.SUFFIX}",
            "sha256": recorded.sha256,
            "bytes": len(recorded.content),
            "ids": recorded.ids,
        }
        self.python.append(self.snapshot["url"])

    def _engine(self) -> None:
        """Build the wheel for other pages, the bytecode for ours, and the workers' scripts."""
        built = wheel.build(self.folder / "wheels")
        target = self.folder / "wheels" / sha256(built)[:10] / built.name
        target.parent.mkdir()
        built.rename(target)
        self.urls["wheel"] = target.relative_to(self.folder).as_posix()
        compiled = bytecode.engine([entry.task for entry in self.site.models])
        self.urls["engine"] = self._asset(f"engine{wire.SUFFIX}", wire.packed(compiled))
        self.python.append(self.urls["engine"])
        recorded = record.snapshot()
        later = bytecode.updates(recorded.modules if recorded else None)
        self.urls["updates"] = self._asset(f"updates{wire.SUFFIX}", wire.packed(later))
        worker = scripts.bundle(STATIC / "engine.worker.mjs")
        self.urls["engine_worker"] = self._asset("engine.worker.mjs", worker)
        inference = scripts.bundle(STATIC / "inference.worker.mjs")
        self.urls["inference_worker"] = self._asset("inference.mjs", inference)

    def _models(self) -> tuple[Trust, list[source.Pinned]]:
        """Verify the release repository, and copy it where the page brings its models along."""
        trusted, pinned = source.read(self.site, self.repository)
        if not self.site.models_url:
            source.copy(self.repository, self.folder / MODELS)
        return trusted, pinned

    def _pictures(self, name: str) -> None:
        for relative, path in tree(STATIC / name):
            if path.suffix != ".md":
                self._write(f"{name}/{relative}", path.read_bytes())

    def _part(
        self, name: str, files: Mapping[str, bytes], large: Mapping[str, bytes] | None = None
    ) -> str:
        """Write a part's folder, named by its content, and return its URL.

        Args:
            name: The part's.
            files: What is written as it is.
            large: What is written in its wire form, under names that say so.
        """
        files = {**files, **wire.packed_files(large or {})}
        hashes = {file: short(content) for file, content in files.items()}
        url = f"runtime/{name}-{folder_hash(hashes)}/"
        for file, content in files.items():
            self._write(url + file, content)
        return url

    def _asset(self, name: str, content: bytes) -> str:
        """Write a file under a name that carries its hash, and return its URL."""
        stem, dot, suffix = name.rpartition(".")
        url = f"assets/{stem}.{short(content)}{dot}{suffix}"
        self._write(url, content)
        return url

    def _write(self, url: str, content: bytes) -> None:
        path = self.folder / url
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def _hashes(self) -> dict[str, str]:
        everything = tree(self.folder)
        return {name: sha256(path) for name, path in everything if not name.startswith(MODELS)}

    def _check_sizes(self) -> None:
        for name, length in _listing(self.folder).items():
            if length > LARGEST:
                raise BuildError(
                    f"{name} has {length / 1e6:.1f} MB; many static hosts refuse files over "
                    f"{LARGEST / 1e6:.0f} MB. Make the model smaller, or take another variant."
                )


def _contents(folder: Path) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in tree(folder)}


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise InputMissingError(
            f"The page needs {path.relative_to(ROOT)}, which isn't there."
        ) from error
