"""From an opened page to a model that answers: start, first download, consent, another try."""

import asyncio

import host
from dom import announce
from setup import SetupPanel
from words import size

__all__ = ["Download"]


class _Stop(Exception):  # noqa: N818  # no error: a way that ends
    """The way ended here; `show()` says why, and offers to go on."""

    def __init__(self, show):
        self.show = show


class Download:
    """Brings the engine and the model here, and shows how far that is.

    Args:
        on_change: Called without arguments when something changed that the page shows.
    """

    def __init__(self, on_change):
        self.usable = asyncio.Event()
        self.state = "starting"  # or "ready", "asking", "stopped", "gone", "failed"
        self.waits_for = "Waiting"
        self.status = None
        self.model = None
        self._on_change = on_change
        self._agreed = not host.metered
        self._up = False
        self._opened = False
        self._reason = ""
        self._received = {}
        self._runtime = [(part.name, part.bytes) for part in host.parts]
        self._wanted = host.site.models[0]
        self._model_part = (self._wanted.title + " model", self._wanted.bytes)
        self._cancel = None
        self._inbox = []
        self._letter = asyncio.Event()
        self._everything = list(self._runtime)
        self._everything.append(self._model_part)
        self._panel = SetupPanel(self._wanted.task, self._everything, self._pressed)
        host.subscribe("phase", self._phase)
        host.subscribe("download", self._downloaded)

    async def run(self):
        """Go on until the page is closed: to a usable model, and again when the engine fails."""
        while True:
            try:
                if not self._up:
                    await self._start()
                if self._opened:
                    # What waits for an answer comes before what the page says of its engine.
                    self.usable.set()
                    await asyncio.sleep(0)  # who waits wakes up,
                    await asyncio.sleep(0)  # and asks the engine
                    await host.idle()
                await self.refresh()
                await self._install()
                self._panel.hide()
                self._change("ready", "Waiting")
                self.usable.set()
                if await self._next("failed", "gone") == "gone":
                    if not self.model.installed:  # it may be back already
                        self._deleted()
                    continue
                host.stop(self._reason)  # photos that it was looking at get their turn again
                self._fail("The engine stopped", self._reason)
            except _Stop as stop:
                self.usable.clear()
                stop.show()
                await self._next("go")
                self._agreed = True

    async def refresh(self):
        """Ask the engine anew what it is and holds."""
        answer = await host.call("status")
        if not answer.ok:
            self._fail("The engine does not answer", answer.message)
        self._know(answer.value)

    async def notice(self, models):
        """The engine tells what models it holds: what changes them may be elsewhere.

        Args:
            models: `id`, `version` and `variant` of each; None for what is not here.
        """
        if not self.status:
            return
        known = [(model.id, model.version, model.variant) for model in self.status.models]
        if known == [_known(model) for model in models]:
            return
        answer = await host.call("status")
        if not answer.ok:
            return  # who waits for an answer hears why
        self._know(answer.value)
        if self.state == "ready" and not self.model.installed:
            self._post("gone")
        elif self.state in ("gone", "failed", "stopped") and self._up and self.model.installed:
            self._post("go")  # it came by another way, or through another tab

    def _know(self, status):
        self.status = status
        for model in self.status.models:
            if model.id == self._wanted.id:
                self.model = model
        self._on_change()

    # ---- the way

    async def _start(self):
        if host.first and not self._agreed:
            self._ask(self._everything)
        self._change("starting", "Waiting for the " + ("download" if host.first else "engine"))
        if host.first:
            self._panel.show_progress(self._received)
        host.start()
        what = await self._next("ready", "failed", "cancel")
        if what == "cancel":
            host.stop("The download was cancelled.")
            self._cancelled()
        if what == "failed":
            host.stop(self._reason)
            self._fail("The page is not ready", self._reason)
        self._up = True
        for name, total in self._runtime:
            self._received[name] = total

    async def _install(self):
        if self.model and self.model.installed:
            return
        if not self._agreed:
            self._ask([self._model_part])
        self._change("starting", "Waiting for the model")
        self._panel.show_progress(self._received)
        task = host.task(self._installing, "install", self._wanted.id)
        self._cancel = task.cancel
        answer = await task.result
        self._cancel = None
        if not answer.ok:
            if answer.name == "CancelledError":
                self._cancelled()
            self._fail("The model did not arrive", answer.message)
        await self.refresh()
        announce("The download is complete.")

    # ---- what arrives

    def _phase(self, phase):
        if phase.phase == "failed":
            self._up = False
            self._reason = phase.text
        if phase.phase == "ready":
            self._opened = phase.usable
        if phase.phase in ("failed", "ready"):
            self._post(phase.phase)

    def _downloaded(self, news):
        self._received[news.part] = news.received
        # What was under way when it stopped still comes in, and must not hide why.
        if self.state != "starting":
            return
        if not self._up:
            if host.first:
                self._panel.show_progress(self._received)
        elif self._cancel:
            self._replace_engine(news)
            self._panel.update(self._received)

    def _replace_engine(self, news):
        """The engine that was begun with does not do, and another one is fetched for the model."""
        if news.part not in [name for name, _ in self._panel.parts]:
            self._panel.parts.append((news.part, news.total))

    def _installing(self, news):
        name, _ = self._model_part
        self._received[name] = news.received
        # Another variant than was thought may be of another size.
        self._model_part = (name, news.total)
        self._panel.parts = [
            self._model_part if part[0] == name else part for part in self._panel.parts
        ]
        self._panel.update(self._received)

    def _pressed(self, button):
        if button == "cancel" and self._cancel:
            self._cancel()
        else:
            self._post(button)

    def _post(self, kind):
        self._inbox.append(kind)
        self._letter.set()

    async def _next(self, *kinds):
        while True:
            while self._inbox:
                kind = self._inbox.pop(0)
                if kind in kinds:
                    return kind
            self._letter.clear()
            await self._letter.wait()

    # ---- why it stops

    def _ask(self, parts):
        self._change("asking", "Waiting for your yes")
        raise _Stop(lambda: self._panel.ask(parts))

    def _fail(self, title, why):
        self._change("failed", "Waiting")
        raise _Stop(lambda: self._panel.stopped(title, why, "Try again"))

    def _cancelled(self):
        self._change("stopped", "Waiting for the download")
        why = "What you gave waits until it is complete. What has arrived is kept if possible."
        raise _Stop(lambda: self._panel.stopped("Download cancelled", why, "Download"))

    def _deleted(self):
        self._opened = False
        name, length = self._model_part
        self._received[name] = 0
        self._panel.parts = [self._model_part]
        self._change("gone", "Waiting for the model")
        title = self._wanted.title + " is not on this device any more"
        why = "It was deleted. This page needs it; what you give waits until it is here again."
        raise _Stop(lambda: self._panel.stopped(title, why, "Download " + size(length)))

    def _change(self, state, waits_for):
        self.state, self.waits_for = state, waits_for
        self._on_change()


def _known(model):
    """What the engine's status says of a model, in the library's facts."""
    return model.id, model.version, model.variant and model.variant.name
