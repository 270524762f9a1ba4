"""The engine worker's entry: offers the engine to the page, one operation for each thing it asks.

Messages are those of `Rpc` in satchel/platform/browser/host.mjs: {id, op, args} is answered by
{id, value} or {id, error}, with {id, progress} before; {cancel: id} ends an operation.
"""

from __future__ import annotations

import asyncio
import json
import platform
import sys
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import js
import numpy as np
import satchel_host
from adaptation import Adaptation
from later import Later
from opened import Opened, kind, named
from pyodide.ffi import JsProxy, create_proxy, to_js

import satchel
from satchel import platform as platforms
from satchel import unfit
from satchel.manifest import Manifest, Reference
from satchel.variants import engine_title

if TYPE_CHECKING:
    from tensorpanel import Tensors
    from upkeep import Upkeep

    from satchel.installed import InstalledModel
    from satchel.tasks import Embed, Label
    from satchel.variants import Abilities

# Looked up once: each step from module to method makes a proxy.
_from_entries = js.Object.fromEntries
_now = js.performance.now

Operation = Callable[..., Awaitable[Any]]

WORK = ("label", "classify", "embed", "compute", "install")
"""Operations that somebody waits for: what goes on beside waits until they are over."""

MOMENT = 1.0
"""Seconds that what goes on beside waits for answers when a page opens."""

WITH_PROGRESS = ("install", "fetch")


def serve(
    port: Any, site: Any, base: str, boot_ms: float, boot: Any, later: Any
) -> asyncio.Future[None]:
    """Answer the page's calls from now on; what is returned is done when the engine is ready.

    Args:
        port: The MessagePort to the page.
        site: `models` and `urls` of the page's site data (see docs/ARCHITECTURE.md), a JavaScript
            object.
        base: What the site's URLs are relative to.
        boot_ms: Milliseconds from the worker's start to here.
        boot: How Python was started: `kind`, "snapshot" or "plain", and the `reason` for "plain".
        later: What is asked for when it is needed, see `Later`.
    """
    engine = Engine(site.to_py(), base, boot_ms, boot.to_py(), Later(later))
    return Server(port, engine).start()


class Engine:
    """The operations."""

    def __init__(
        self,
        site: dict[str, Any],
        base: str,
        boot_ms: float,
        boot: dict[str, str],
        later: Later,
    ) -> None:
        self._site = site
        self._base = base
        self._boot_ms = boot_ms
        self._boot = boot
        self._opened = Opened(self._blob_url)
        self._library = self._opened.library
        self.adaptation = Adaptation(self._opened)
        self._later = later
        self._computed: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
        self.worked = 0.0
        self.working = 0

    @cached_property
    def upkeep(self) -> Upkeep:
        """What goes on beside; its code is not on the way to the first answer."""
        from upkeep import Upkeep

        return Upkeep(
            self._site, self._url, self._later, self._opened, self.adaptation, self._last_work
        )

    def _last_work(self) -> float:
        return float(_now()) if self.working else self.worked

    async def prepare(self) -> bool:
        """Load the site's first model, for a quick first answer; tell whether it is here."""
        first = self._site["models"][0]
        try:
            await self._opened.task(kind(first["task"]), first["id"])
        except satchel.ModelNotFoundError:
            pass  # the page asks for it
        except satchel.IntegrityError:
            # Not whole any more, and neither to be mended nor to be left for another version.
            await self.remove(first["id"])
        else:
            return True
        return False

    async def status(self) -> dict[str, Any]:
        """Versions, threads, models and storage, for the page's status strip."""
        from facts import in_words

        installed = {model.model: model for model in await self._library.list()}
        first = installed.get(self._site["models"][0]["id"])
        abilities = await unfit.abilities(platforms.current())
        return {
            "satchel": satchel.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            **await self._inference(first),
            "isolated": bool(js.crossOriginIsolated),
            "boot_ms": self._boot_ms,
            "boot": self._boot,
            "models": [
                {
                    "id": model["id"],
                    "task": model["task"],
                    "title": model["title"],
                    "bytes": model["bytes"],
                    "bytes_text": in_words(model["bytes"]),
                    **_here(installed.get(model["id"]), abilities),
                }
                for model in self._site["models"]
            ],
            "storage": await self.upkeep.facts.storage(),
        }

    async def _inference(self, first: InstalledModel | None) -> dict[str, Any]:
        """The engine of the site's first model, and its threads."""
        engines = platforms.current().engines
        # Until the model is here: what it will need, as far as the page can tell.
        name = first.current.variant.engine if first else self._site["engine"]
        try:
            described = await engines[name].describe()
        except satchel.EngineUnavailableError:
            if first or len(engines) == 1:
                raise
            # Installing it finds a variant for another one, or says why there is none.
            return {"engine": f"{engine_title(name)}, not started", "threads": 1}
        from facts import engine_in_words

        return {"engine": engine_in_words(name, described), "threads": described["threads"]}

    async def install(self, model_id: str, *, progress: Callable[[Any], None]) -> dict[str, Any]:
        """Download a model of this site and load it."""
        from facts import in_words

        from satchel.installer import Installer

        entry = self._entry(model_id)

        def report(received: int, total: int) -> None:
            progress(
                {
                    "received": received,
                    "total": total,
                    "percent": 100 * received // max(total, 1),
                    "text": f"{in_words(received)} of {in_words(total)}",
                }
            )

        installer = Installer(self._library, platforms.current(), self._blob_url)
        installed = await installer.install(await self._manifest(entry), progress=report)
        await self._opened.task(kind(entry["task"]), model_id)
        return {"id": model_id, "version": str(installed.active)}

    async def add_variant(self, model_id: str, name: str) -> None:
        """Have one more variant of an installed model here, beside the one in use."""
        await self._opened.obtain(model_id, name)

    async def label(self, image: Any, top: int = 5, key: str | None = None) -> dict[str, Any]:
        """Label one photo with the site's first label model.

        `key` names what only the newest photo of is of use: a camera.
        """

        async def work(label: Label) -> dict[str, Any]:
            started = _now()
            pixels = await label.prepare(image)
            return await _labelled(label, pixels, top, started)

        return await self._adapted("label", work, key)

    async def classify(
        self, rgba: Any, size: int, top: int = 5, variant: str | None = None
    ) -> dict[str, Any]:
        """Label pixels that have the model's size already: RGBA bytes, size × size.

        `variant` insists on one of the variants that are here; default: as it is decided.
        """

        async def work(label: Label) -> dict[str, Any]:
            started = _now()
            pixels = np.empty((size, size, 3), np.uint8)
            satchel_host.rgb(rgba).assign_to(pixels.reshape(-1))
            return await _labelled(label, pixels, top, started)

        if variant is None:
            return await self._adapted("label", work)
        answer = await self._opened.use(kind("label"), self._default("label"), work, variant)
        return answer | {"decision": None}

    async def embed(self, texts: Any) -> dict[str, Any]:
        """Embed texts with the site's first embedding model: `vectors` holds n × width floats."""

        async def work(embed: Embed) -> dict[str, Any]:
            started = _now()
            vectors = await embed([texts] if isinstance(texts, str) else texts)
            return {
                "vectors": to_js(vectors.reshape(-1)),
                "shape": vectors.shape,
                "ms": _now() - started,
                "model": named(embed),
            }

        return await self._adapted("embed", work)

    async def _adapted(
        self,
        task: str,
        work: Callable[[Any], Awaitable[dict[str, Any]]],
        key: str | None = None,
    ) -> dict[str, Any]:
        """Do some work with the site's first model for a task, as it is decided."""
        return await self._opened.use(
            kind(task),
            self._default(task),
            lambda opened: self.adaptation.perform(opened, work, key),
        )

    async def tensors(self) -> dict[str, Any]:
        """Inputs and outputs of the site's first model whose tensors are taken as they are."""
        from tensorpanel import Tensors

        task = await self._opened.task(Tensors, self._default("tensors"))
        return {**task.describe(), "model": named(task)}

    async def compute(self, given: str, files: Any) -> dict[str, Any]:
        """Run that model; `given` is JSON, `files` are those that it refers to."""
        from tensorpanel import Tensors, summary

        contents = [(await file.arrayBuffer()).to_bytes() for file in files]

        async def work(task: Tensors) -> dict[str, Any]:
            started = _now()
            outputs = await task.run(json.loads(given), contents)
            ms = _now() - started
            self._computed = outputs, {"model": named(task), "ms": round(ms, 3)}
            told = [summary(name, array) for name, array in outputs.items()]
            return {"outputs": told, "ms": ms, "model": named(task)}

        return await self._opened.use(Tensors, self._default("tensors"), work)

    async def computed(self) -> str:
        """All outputs of the last run, as JSON."""
        from tensorpanel import as_json

        return as_json(*self._computed)

    async def remove(self, model_id: str) -> None:
        """Remove a model from this device."""
        await self._opened.close(model_id)
        await self._library.delete(model_id)

    # ---- the library and its updates

    async def library(self) -> dict[str, Any]:
        """All models of this site, their updates, and what happened to them."""
        return await self.upkeep.facts.all()

    async def check(self) -> dict[str, Any]:
        """Look for updates now; what stops it is an error that says so."""
        await (await self.upkeep.updating()).check()
        self.upkeep.turn()  # what must be had comes at once
        return await self.library()

    async def fetch(self, model_id: str, *, progress: Callable[[Any], None]) -> dict[str, Any]:
        """Bring a model's update here and put it in place. Cancelled, it keeps what has come."""
        await (await self.upkeep.updating()).fetch(self._entry(model_id)["id"], progress)
        await self._opened.settle(model_id)
        return await self.library()

    async def discard(self, model_id: str) -> dict[str, Any]:
        """Drop what has come of an update."""
        await (await self.upkeep.updating()).discard(model_id)
        return await self.library()

    async def rollback(self, model_id: str) -> dict[str, Any]:
        """Go back to the version before, and open it."""
        await self._library.rollback(model_id)
        await self._opened.settle(model_id)
        return await self.library()

    async def pin(self, model_id: str, version: str | None = None) -> dict[str, Any]:
        """Keep a model at a version, or let it follow updates again."""
        await self._library.pin(model_id, version or None)
        await self._opened.settle(model_id)
        return await self.library()

    async def offer_again(self, model_id: str, version: str) -> dict[str, Any]:
        """Let a version that was set aside be offered again: from the next check on."""
        await self._library.offer_again(model_id, version)
        return await self.library()

    async def reset_device(self) -> dict[str, Any]:
        """Make another random device id."""
        from satchel import rollout

        await rollout.renew(platforms.current())
        return await self.library()

    async def clear_history(self) -> dict[str, Any]:
        """Forget what happened to the models."""
        await self._library.forget_history()
        return await self.library()

    # ---- how hard it works

    async def adapt(self, override: str, priority: str) -> dict[str, Any] | None:
        """Insist on a strategy ("": on none), and say what matters most."""
        return await self.upkeep.adapting.adapt(override, priority)

    async def suppose(self, given: str) -> dict[str, Any]:
        """What would be decided on a device that is otherwise: `given` is JSON."""
        return await self.upkeep.adapting.suppose(given)

    async def conditions(self, values: Any) -> None:
        """Take what the page's main thread sees of the device, in the browser's own words."""
        self.upkeep.hear(values.to_py())

    def _default(self, task: str) -> str:
        for model in self._site["models"]:
            if model["task"] == task:
                return str(model["id"])
        raise satchel.ModelNotFoundError(f"This site has no model for the task '{task}'")

    async def _manifest(self, entry: dict[str, Any]) -> Manifest:
        """The manifest whose hash the page pins."""
        from satchel.transfer import fetch_blob

        pinned = Reference(entry["sha256"], entry["manifest_bytes"])
        blob = await fetch_blob(platforms.current(), self._url(entry["manifest"]), pinned)
        return Manifest.parse(await blob.read())

    def _entry(self, model_id: str) -> dict[str, Any]:
        for model in self._site["models"]:
            if model["id"] == model_id:
                return dict(model)
        raise satchel.ModelNotFoundError(f"This site has no model '{model_id}'")

    def _blob_url(self, item: Reference) -> str:
        return self._url(self._site["urls"]["blobs"]) + item.sha256

    def _url(self, relative: str) -> str:
        return str(js.URL.new(relative, self._base).href)


def _here(model: InstalledModel | None, abilities: Abilities) -> dict[str, Any]:
    """What of a model is on this device."""
    from facts import why

    return {
        "installed": model is not None,
        "version": str(model.active) if model else None,
        "variant": model.current.chosen if model else None,
        "reason": why(model, abilities) if model else "",
    }


async def _labelled(label: Label, pixels: Any, top: int, started: float) -> dict[str, Any]:
    prepared = _now()
    predictions = await label.classify(pixels, top)
    done = _now()
    return {
        "predictions": [
            {"index": item.index, "label": item.label, "score": item.score} for item in predictions
        ],
        "ms": done - started,
        "inference_ms": done - prepared,
        "model": named(label),
    }


class Server:
    """Answers messages with an engine's public methods."""

    def __init__(self, port: Any, engine: Engine) -> None:
        self._port = port
        self._engine = engine
        self._running: dict[int, asyncio.Task[None]] = {}

    def start(self) -> asyncio.Future[None]:
        """Load what is here, say that the engine is ready, and answer from now on."""
        # The proxies live as long as the worker.
        satchel_host.listen(self._port, create_proxy(self._begin), create_proxy(self._cancel))
        self._ready = asyncio.ensure_future(self._prepare())
        return self._ready

    async def _prepare(self) -> None:
        usable = False
        try:
            usable = await self._engine.prepare()
        except satchel.SatchelError as error:
            self._post(event="error", value=_described(error))
        ready = {"phase": "ready", "text": "Ready", "ms": _now(), "usable": usable}
        self._post(event="phase", value=ready)
        self._engine.worked = _now()  # however long it took until here, it hasn't rested yet
        await self._answered()
        self._engine.upkeep.start(lambda event, facts: self._post(event=event, value=facts))

    async def _answered(self) -> None:
        """Wait for what somebody waits for, a moment at most: what goes on beside comes after."""
        if self._running:
            await asyncio.wait(self._running.values(), timeout=MOMENT)

    def _cancel(self, call: int) -> None:
        task = self._running.get(call)
        if task is not None:
            task.cancel()

    def _begin(self, call: int, name: str, arguments: Any) -> None:
        self._engine.working += name in WORK
        answer = self._answer(call, name, list(arguments))
        # Eager: begun here and now, not a turn of the event loop later.
        task = asyncio.Task(answer, loop=asyncio.get_running_loop(), eager_start=True)
        self._running[call] = task
        task.add_done_callback(lambda _: self._end(call, name))

    def _end(self, call: int, name: str) -> None:
        self._running.pop(call, None)
        if name in WORK:
            self._engine.working -= 1
            self._engine.worked = _now()
            self._engine.adaptation.begin()

    async def _answer(self, call: int, name: str, arguments: list[Any]) -> None:
        try:
            operation: Operation | None = getattr(self._engine, name, None)
            if operation is None or name.startswith("_"):
                raise satchel.SatchelError(f"The engine has no operation '{name}'")
            if name in WITH_PROGRESS:
                value = await operation(
                    *arguments, progress=lambda progress: self._post(id=call, progress=progress)
                )
            else:
                value = await operation(*arguments)
            self._post(id=call, value=value)
        except asyncio.CancelledError:
            self._post(id=call, error={"name": "CancelledError", "message": "Cancelled"})
        except Exception as error:  # noqa: BLE001  # the page shows whatever it was
            if not isinstance(error, satchel.SatchelError):
                sys.excepthook(type(error), error, error.__traceback__)
            self._post(id=call, error=_described(error))

    def _post(self, **message: Any) -> None:
        # Typed arrays go over without a copy; whoever answers with one has no use for it any more.
        value = message.get("value")
        items = value.values() if isinstance(value, dict) else ()
        transfer = [item.buffer for item in items if isinstance(item, JsProxy)]
        content = to_js(message, dict_converter=_from_entries)
        if transfer:
            self._port.postMessage(content, to_js(transfer))
        else:
            self._port.postMessage(content)


def _described(error: BaseException) -> dict[str, str]:
    return {"name": type(error).__name__, "message": str(error) or type(error).__name__}
