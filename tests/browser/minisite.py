"""A site of four files with the real service worker: quick to build, and to build again."""

from __future__ import annotations

from pathlib import Path

import zstandard

from builder import serviceworker
from builder.files import short, tree

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{words}</title>
<link rel="icon" href="data:,">
<script type="module" src="assets/app.{name}.mjs"></script></head><body>{words}</body></html>
"""

# What the real page does: hold the build's lock, register the worker.
APP = """
const scope = new URL("./", document.baseURI).pathname;
globalThis.build = "{build}";
navigator.locks.request(`satchel:${{scope}}:build:{build}`, {{ mode: "shared" }}, () => {{
  globalThis.locked = true;
  return new Promise(() => {{}});
}});
globalThis.said = [];
navigator.serviceWorker.addEventListener("message", ({{ data }}) => said.push(data));
navigator.serviceWorker.register("sw.js").then((registration) => {{
  globalThis.registration = registration;
}});
globalThis.lazy = () => import("./late.{late}.mjs");
globalThis.engine = (name) =>
  new URL(`runtime/${{name}}-{engine}/engine.wasm.zst`, document.baseURI).href;
globalThis.ask = (type, files) => new Promise((answer) => {{
  setTimeout(answer, 1000, {{}});  // a worker that is being replaced may never answer
  const {{ port1, port2 }} = new MessageChannel();
  port1.onmessage = ({{ data }}) => data.received === undefined && answer(data);
  navigator.serviceWorker.controller.postMessage({{ type, files }}, [port2]);
}});
"""


ENGINES = ("fast", "plain")


def write(
    folder: Path,
    build: str,
    *,
    shared: bytes = b"the same in every build",
    engine: bytes = b"of every build",
) -> None:
    """Write a build into an empty folder, or over another build as a new deployment does.

    Args:
        folder: Where.
        build: Its name.
        shared: What is in one of its files.
        engine: What is in each of its engines.
    """
    late = f"export const build = {build!r};\n"
    app = APP.format(build=build, late=short(late), engine=short(engine))
    for old in [*folder.glob("assets/*"), *folder.glob("runtime/*/*")]:
        old.unlink()
    engines = {
        f"runtime/{name}-{short(engine)}/engine.wasm.zst": zstandard.compress(engine)
        for name in ENGINES
    }
    files = {
        f"assets/late.{short(late)}.mjs": late.encode(),
        f"assets/app.{short(app)}.mjs": app.encode(),
        f"assets/shared.{short(shared)}.txt": shared,
        "index.html": PAGE.format(words=f"build {build}", name=short(app)).encode(),
        **engines,
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    kept = {name: path for name, path in tree(folder) if name in files}
    script = serviceworker.script(serviceworker.source(), build, kept, engines=[*engines])
    (folder / "sw.js").write_bytes(script)


STORED = "async () => (await caches.keys()).sort()"
COMPLETE = "async () => (await ask('status')).complete"
CONTROLLED = "() => navigator.serviceWorker.controller !== null"
"""To be waited for: JavaScript for `until`."""
