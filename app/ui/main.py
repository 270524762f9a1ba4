"""The interface's entry: puts the panels together and lets them run."""

import host
from about import AboutPanel
from decisions import kind
from dom import announce, by_id, listen, show
from download import Download
from js import document
from notes import dismiss, note
from photos import Photos
from status import StatusPanel
from tasks import start
from times import Times
from updates import Updates

# A panel's code is loaded where the site has a model for it.
TASKS = [
    task
    for task in ("label", "embed", "tensors")
    if any(model.task == task for model in host.site.models)
]
# Views beside those of the tasks.
PLACES = ("models", "device", "about")
TITLES = {
    "embed": "Compare",
    "tensors": "Run",
    "models": "Models",
    "device": "Device",
    "about": "About",
}
# Tensors go through a model as they are.
ADAPTS = TASKS != ["tensors"]
# What one answer is about.
UNITS = {"label": "photo", "embed": "text", "tensors": "run"}


class Page:
    """All panels, and what they tell each other."""

    def __init__(self):
        self.status = None
        self.label = None
        self.tensors = None
        self.library = None  # from the first time that somebody looks at it
        self.device = None  # likewise, or from the first time that there is something to tell
        self.reading = None  # the engine's first comes once it rests
        self.adapted_to = None  # how it works now, and why
        self.times = {task: Times() for task in TASKS}
        self.used = TASKS[0]  # the task that answered last
        self.view = ""
        self.asked = False
        self.about = AboutPanel()
        self.download = Download(self.changed)
        if "label" in TASKS:
            self._label()
        self.status = StatusPanel(self.download, self.label.photos if self.label else Photos())
        if "embed" in TASKS:
            from embed import EmbedPanel

            EmbedPanel(self.download, self._seen("embed"))
        if "tensors" in TASKS:
            from tensors import TensorsPanel

            self.tensors = TensorsPanel(self.download, self._seen("tensors"))
        if self.label or self.tensors:
            host.takeFiles(self.take)
        show(by_id("device-choose"), ADAPTS)
        self.updates = Updates(self.learnt, lambda: self.view == "models")
        host.onAddress(lambda: self.show_view(True))
        self.show_view(False)
        host.subscribe("page-update", self.newer)
        host.subscribe("offline", self.offline)
        host.subscribe("error", self.failed)
        host.subscribe("device", self.felt)
        host.subscribe("adaptive", self.adapted)
        self.changed()

    def run(self):
        """Start what goes on as long as the page is open."""
        start(self.download.run())
        if self.label:
            start(self.label.run())

    def changed(self):
        """Something about engine or model changed."""
        if self.status is None:
            return
        if self.label:
            self.label.show_state()
        self.status.update()
        status = self.download.status
        if status:
            self.about.update(
                (
                    ("Python", status.python),
                    ("NumPy", status.numpy),
                    ("Engine", status.engine),
                )
            )

    def learnt(self):
        """Something about the models or their updates changed."""
        if self.library:
            self.library.update()
        if self.updates.facts:
            self.about.learn(self.updates.facts.models)
            start(self.download.notice(self.updates.facts.models))

    def seen(self, task, ms, made):
        """There is an answer. After the first one it is clear that this is worth keeping.

        Args:
            task: Whose.
            ms: How long it took.
            made: The decision that made it; None: there was none.
        """
        self.times[task].add(ms, kind(made))
        self.used = task
        if self.view == "device":
            self._show_times()
        self.status.update()
        if not self.asked:
            self.asked = True
            start(self._keep())

    def _seen(self, task):
        return lambda ms, made: self.seen(task, ms, made)

    def take(self, files):
        """Hand over files that were chosen, dropped or pasted, also before there was a panel."""
        to_tensors = self.tensors and (self.view == "tensors" or not self.label)
        (self.tensors if to_tensors else self.label).add(files)

    def newer(self, news):
        """A new version of the page waits, or has begun in another tab."""
        text = "A new version is ready: reload to update. What is in the list here will be gone."
        if news.state == "elsewhere":
            text = "Another tab has gone on to a new version. This one works as before."
        note("page-update", text, "info", "Reload to update", host.update)

    def offline(self, news):
        """Say it when the page could not be set up for offline use."""
        if news.state == "failed":
            text = "The page works, but could not be set up for offline use: "
            note("offline", text + news.reason, "warn")
        else:
            dismiss("offline")

    def failed(self, news):
        """The engine reports something that belongs to no photo."""
        note("error", getattr(news, "message", None) or str(news), "bad")

    def felt(self, device):
        """The engine tells how the device is doing."""
        self.reading = host.plain(device)
        if self.device:
            self.device.read(self.reading)

    def adapted(self, facts):
        """The engine tells how it works now, and why."""
        before, self.adapted_to = self.adapted_to, host.plain(facts)
        if before and _turn(before) != _turn(self.adapted_to):
            announce(self.adapted_to.reason)
        self.status.adapted(self.adapted_to)
        if self.label:
            self.label.adapted(self.adapted_to)
        if self.device:
            self.device.adapted(self.adapted_to)

    def show_view(self, move):
        """Show the view that the address names; `move` takes the reader along."""
        name = host.address()
        if name == "main":
            return  # the skip link: within the view that is shown
        home = self._home()
        if name not in TASKS and name not in PLACES:
            name = home
        self.view = name
        for view in TASKS + list(PLACES):
            by_id("view-" + view).hidden = view != name
        by_id("view-tasks").hidden = name in PLACES
        if name == "about":
            self.about.show()
        else:
            # What comes with the first download is told wherever it is waited for.
            by_id(name + "-input").after(by_id("setup"))
        if name == "models":
            self._show_library()
        if name == "device":
            self._show_device()
        for link in document.querySelectorAll("nav a"):
            if link.getAttribute("href") == "#" + name:
                link.setAttribute("aria-current", "page")
            else:
                link.removeAttribute("aria-current")
        title = host.site.title
        document.title = title if name == home else TITLES.get(name, "Label") + " · " + title
        if move:
            by_id(name + "-title").focus()
            host.toTop()

    def _show_library(self):
        if not self.library:
            from library import LibraryPanel

            self.library = LibraryPanel(self.updates)
        self.updates.seen()
        self.updates.ask()
        self.library.update()

    def _show_device(self):
        if not self.device:
            from device import DeviceView

            self.device = DeviceView(UNITS[TASKS[0]], ADAPTS)
            if self.reading:
                self.device.read(self.reading)
            if self.adapted_to:
                self.device.adapted(self.adapted_to)
        self._show_times()

    def _show_times(self):
        self.device.timed(self.times[self.used], UNITS[self.used])

    def _home(self):
        """The view of the site's first model."""
        return host.site.models[0].task

    def _label(self):
        from camera import Camera
        from label import LabelPanel

        self.label = LabelPanel(self.download, self.changed, self._seen("label"))
        Camera(self.label.add)
        self._offer_sample()

    async def _keep(self):
        self.status.kept(await host.persist())
        await self.download.refresh()

    def _offer_sample(self):
        button = by_id("sample")
        if not button:
            return  # it belongs to a model of ours
        button.disabled = False
        listen(button, "click", lambda event: start(self._sample(button)))

    async def _sample(self, button):
        button.disabled = True
        answer = await host.fetchFile(button.dataset.src, button.dataset.name)
        button.disabled = False
        if answer.ok:
            self.label.add([answer.value])
        else:
            note("sample", "The sample did not arrive: {}.".format(answer.message), "warn")


def _turn(facts):
    """What people should hear of when it changes."""
    return facts.strategy, facts.override, facts.priority


Page().run()
