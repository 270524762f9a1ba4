"""The interface's entry: puts the panels together and lets them run."""

from about import fill_about, show_versions
from camera import Camera
from dom import by_id, listen
from download import Download
from label import LabelPanel
from notes import dismiss, note
from pyscript import document
from pyscript.js_modules import host
from status import StatusPanel
from tasks import start

VIEWS = ("label", "about")


class Page:
    """All panels, and what they tell each other."""

    def __init__(self):
        self.status = None
        self.label = None
        self.asked = False
        self.download = Download(self.changed)
        self.label = LabelPanel(self.download, self.changed, self.seen)
        self.status = StatusPanel(self.download, self.label.photos)
        Camera(self.label.add)
        fill_about()
        self._offer_sample()
        host.onAddress(lambda: self.show_view(True))
        self.show_view(False)
        host.subscribe("page-update", self.newer)
        host.subscribe("offline", self.offline)
        host.subscribe("error", self.failed)
        host.takeFiles(self.label.add)
        self.changed()

    def run(self):
        """Start what goes on as long as the page is open."""
        start(self.download.run())
        start(self.label.run())

    def changed(self):
        """Something about engine or model changed."""
        if self.status is None:
            return
        self.label.show_state()
        self.status.update()
        status = self.download.status
        if status:
            show_versions(
                (
                    ("Python", status.python),
                    ("NumPy", status.numpy),
                    ("Engine", status.engine),
                )
            )

    def seen(self, photo):
        """A photo is done. After the first one it is clear that this is worth keeping."""
        self.status.update()
        if not self.asked:
            self.asked = True
            start(self._keep())

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

    def show_view(self, move):
        """Show the view that the address names; `move` takes the reader along."""
        name = host.address()
        if name == "main":
            return  # the skip link: within the view that is shown
        if name not in VIEWS:
            name = VIEWS[0]
        for view in VIEWS:
            by_id("view-" + view).hidden = view != name
        for link in document.querySelectorAll("nav a"):
            if link.getAttribute("href") == "#" + name:
                link.setAttribute("aria-current", "page")
            else:
                link.removeAttribute("aria-current")
        title = host.site.title
        document.title = title if name == VIEWS[0] else "About · " + title
        if move:
            by_id(name + "-title").focus()
            host.toTop()

    async def _keep(self):
        self.status.kept(await host.persist())
        await self.download.refresh()

    def _offer_sample(self):
        button = by_id("sample")
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


Page().run()
