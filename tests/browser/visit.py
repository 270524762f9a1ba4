"""What visitors do on the page, and what tests ask it; shared by test_visit_*.py and faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from page_photos import CAT, CATS, READY, choose, copy_of, state
from playwright.sync_api import Error

from tests.conftest import Watch

MODEL = "efficientnet-lite0"

PHOTOS = Path(__file__).parent / "photos"
LABELS = {CAT: CATS, PHOTOS / "coffee.jpg": {967}, PHOTOS / "camera.jpg": {872}}
"""Photos, and the class indices that are right for each."""

OFFLINE_READY = (
    "() => document.querySelector('[data-testid=offline-ready]').dataset.state === 'yes'"
)
ISOLATED_AND_READY = f"() => crossOriginIsolated && ({READY})()"
FAILED = "() => document.getElementById('setup').dataset.state === 'failed'"
"""To be waited for: JavaScript for `until`."""

KEPT_SNAPSHOT = """async () => {
  let size = 0;
  for await (const folder of (await navigator.storage.getDirectory()).values()) {
    for await (const file of folder.values()) size += (await file.getFile()).size;
  }
  return size;
}"""
"""JavaScript: the bytes of Python's snapshot that this site keeps expanded."""

_CALL = """async ([op, args]) => {
  try {
    return { value: (await satchel.engine.call(op, args)) ?? null };
  } catch ({ name, message }) {
    return { error: name, message };
  }
}"""

_NAMES = """async () => ({
  databases: (await indexedDB.databases()).map(({ name }) => name).sort(),
  caches: (await caches.keys()).sort(),
})"""

_BLOBS = """async (model) => {
  const { name } = (await indexedDB.databases()).find(({ name }) => name.startsWith("satchel:"));
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const count = (table) => new Promise((resolve, reject) => {
    const request = database.transaction(table).objectStore(table).count();
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const counts = { models: await count("models"), blobs: await count("blobs") };
  database.close();
  return counts;
}"""


@contextmanager
def watched(browser, *urls: str, **options) -> Iterator[object]:
    """A visitor's browser context for a whole module, held to the same rules as `context`."""
    watch = Watch()
    for url in urls:
        watch.allow_origin(url)
    context = browser.new_context(**options)
    context.watch = watch
    watch.context(context)
    yield context
    context.close()
    assert not watch.problems(), "\n".join(watch.problems())


def call(page, op: str, *args: object) -> dict[str, object]:
    """Ask the engine for an operation: {"value": …} or {"error": name, "message": …}."""
    return page.evaluate(_CALL, [op, list(args)])


def installed(page) -> bool:
    """Whether the engine says that the model is on this device."""
    (model,) = call(page, "status")["value"]["models"]
    return model["installed"]


def stored(page) -> dict[str, int]:
    """How many models and blobs lie in this site's database."""
    return page.evaluate(_BLOBS)


def stored_the_model(page) -> bool:
    """Whether it is stored, and nothing that should have gone.

    Beside three blobs of its own there may be its variants for hard times, which come in idle time.
    """
    found = stored(page)
    return found["models"] == 1 and found["blobs"] in (3, 4, 5)


def names(page) -> dict[str, list[str]]:
    """The names of all databases and caches on this origin."""
    return page.evaluate(_NAMES)


def label(page, until, photo: Path = CAT, name: str = "", **waiting) -> int:
    """Give the page a photo as people do, and return the class index of its first label.

    Args:
        photo: The file.
        name: What the photo is called; one page, one photo of each name.
    """
    choose(page, copy_of(photo, name or photo.name))
    return answer(page, until, name or photo.name, **waiting)


def answer(page, until, name: str, **waiting) -> int:
    """Wait for a photo that was given before, and return the class index of its first label."""
    until(page, f"() => ({state(name, 'done')})() || ({state(name, 'failed')})()", **waiting)
    card = page.locator(f"[data-testid=result][data-name='{name}']")
    assert card.get_attribute("data-state") == "done", card.inner_text()
    return int(card.get_attribute("data-index"))


def how_started(page) -> dict[str, str]:
    """How Python was started: {"kind": "snapshot" or "plain", "reason": …}."""
    return call(page, "status")["value"]["boot"]


def python(page, code: str) -> object:
    """Run Python where the engine runs, also what it awaits; its last expression gives JSON."""
    (worker,) = workers(page, "engine.worker")
    text = worker.evaluate("(code) => pyodide.runPythonAsync(code)", f"import json\n{code}")
    return json.loads(text or "null")


def settled(page, code: str, right, seconds: float = 90) -> object:
    """Run Python in the engine until what it gives is right, and return that."""
    for _ in range(int(seconds * 4)):
        value = python(page, code)
        if right(value):
            return value
        page.wait_for_timeout(250)
    raise AssertionError(f"still {value}")


_BEGUN = """
import asyncio
from satchel import library, platform, unfit
async def load():
    model = await library.Library().installed({model!r})
    variant, published = model.current.variant, model.current.published
    async with unfit.marked(platform.current(), variant, published):
        await asyncio.Event().wait()
loading = asyncio.ensure_future(load())
while not (record := await platform.current().store.record("meta", "unfit")):
    await asyncio.sleep(0)
"""


def begin_a_load(page, model: str = MODEL) -> None:
    """Begin to load a model, which will not end: as what ends a page does, if that is closed."""
    python(page, _BEGUN.format(model=model))


def workers(page, script: str) -> list[object]:
    """The page's workers that run this script."""
    return [worker for worker in page.workers if f"/assets/{script}." in worker.url]


def end_worker(page, script: str) -> None:
    """End the page's worker that runs this script, as a browser does that needs the memory.

    The page gets no error event: nothing but silence.
    """
    (worker,) = workers(page, script)
    _end(worker)


_TRIED = """
from satchel import platform
kept = await platform.current().store.record("meta", "effort") or {"models": {}}
json.dumps([model["threads"] for model in kept["models"].values()])
"""
"""Python: how many threads the page has found to be best, by model; None: it has not tried yet."""


def end_inference(page) -> None:
    """End the inference workers: each engine that was used has one.

    Somebody has labelled a photo. In idle time the page then tries out how many threads help, and
    workers come and go for it: that is waited for.
    """
    settled(page, _TRIED, any)
    ending = workers(page, "inference")
    assert ending
    for worker in ending:
        _end(worker)


def _end(worker) -> None:
    try:
        with worker.expect_event("close"):
            worker.evaluate("() => { setTimeout(() => close()) }")
    except Error as error:  # the page has just let go of it itself
        if "has been closed" not in error.message:
            raise
