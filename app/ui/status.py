"""The chips at the top, and the card that says what the device is doing."""

import host
from charts import draw_line
from decisions import chip
from dom import by_id, el, fill, hide, listen, show
from photos import median
from words import count, duration

__all__ = ["StatusPanel"]

_SPARK = (200, 48)


class StatusPanel:
    """Engine, offline, model; and the reasons."""

    def __init__(self, download, photos):
        self._download = download
        self._photos = photos
        self._ready_ms = None
        self._phase_text = "Opening"
        self._shell = ("no", "")
        self._adapted = None  # how the engine works now, once it is decided
        self._kept = None  # what the browser said to persist()
        self._details = by_id("device-details")
        listen(self._details, "toggle", lambda event: self.update())
        host.subscribe("phase", self._phase)
        host.subscribe("offline", self._offline)

    def kept(self, answer):
        """The browser answered whether it keeps what is stored."""
        self._kept = answer
        self.update()

    def adapted(self, facts):
        """The engine decided how to work."""
        self._adapted = facts
        self.update()

    def update(self):
        """Show everything anew."""
        self._show_engine()
        self._show_offline()
        self._show_model()
        self._show_device()

    # ---- what is heard

    def _phase(self, phase):
        self._phase_text = phase.text
        if phase.phase == "ready":
            self._ready_ms = float(phase.ms)
        self.update()

    def _offline(self, news):
        self._shell = (news.state, news.reason)
        self.update()

    # ---- chips

    def _show_engine(self):
        state = self._download.state
        text = {
            "starting": self._phase_text,
            "asking": "Not started",
            "stopped": "Cancelled",
            "gone": "Waiting for its model",
            "failed": "Not working",
            "ready": "Ready",
        }[state]
        if state == "ready" and self._ready_ms is not None:
            text = "Ready in " + duration(self._ready_ms)
        elif state == "starting" and self._download.model:
            text = "Fetching the model"
        easy = chip(self._adapted.strategy) if self._adapted and state == "ready" else ""
        place = _chip("engine-state", state, easy or text)
        place.setAttribute("data-tone", "warn" if easy else "")

    def _show_offline(self):
        shell, _ = self._shell
        complete = shell == "yes" and self._download.model and self._download.model.installed
        chip = _chip(
            "offline-ready",
            "yes" if complete else "no",
            {
                "working": "Setting up for offline",
                "failed": "Offline set-up failed",
                "none": "Works online only",
            }.get(shell, "Works offline" if complete else "Not offline yet"),
        )
        chip.setAttribute("data-tone", {"failed": "bad", "none": "warn"}.get(shell, ""))

    def _show_model(self):
        model = self._download.model
        if not model:
            return
        if model.installed:
            _chip("model-version", "ready", "{} {}".format(model.title, model.version))
        else:
            _chip("model-version", "none", model.title + ": not here yet")

    # ---- the card

    def _show_device(self):
        self._show_strategy()
        by_id("device-why").textContent = self._sentence()
        times = self._photos.times()
        self._show_spark(times)
        if not self._details.open:
            return
        facts = []
        if times:
            facts.append(("Time per photo", duration(median(times))))
        facts.extend(self._facts())
        terms = []
        for name, value in facts:
            terms.append(el("dt", name))
            terms.append(el("dd", value, class_="prose" if len(value) > 24 else None))
        fill(by_id("device-facts"), *terms)

    def _show_strategy(self):
        place = by_id("strategy")
        known = self._adapted and self._download.state == "ready"
        show(place, bool(known))
        if known:
            place.setAttribute("data-strategy", self._adapted.strategy)
            if place.textContent != self._adapted.reason:
                place.textContent = self._adapted.reason

    def _sentence(self):
        download = self._download
        if download.state == "asking":
            return "Nothing yet. It waits for your yes to the download."
        if download.state == "stopped":
            return "Nothing. The download was cancelled."
        if download.state == "gone":
            return "Nothing: its model was deleted."
        if download.state == "failed":
            return "Nothing: the page is not ready."
        if download.state == "starting":
            return "Getting ready. What is given now waits its turn."
        threads = self._threads()
        times = self._photos.times()
        if not times and self._photos.with_state("waiting", "looking"):
            return "Looking, on {}.".format(threads)
        if not times:
            return "Ready and resting, with {} at hand.".format(threads)
        took = duration(median(times)) + " per photo"
        # The strategy's own sentence says the threads.
        return took + "." if self._adapted else "{}, on {}.".format(took, threads)

    def _show_spark(self, times):
        spark = by_id("device-spark")
        if len(times) < 3:
            hide(spark)
            return
        draw_line(spark, times, _SPARK)
        label = "Time per photo, last {}: {} to {}"
        spark.setAttribute(
            "aria-label", label.format(len(times), duration(min(times)), duration(max(times)))
        )
        show(spark)

    def _facts(self):
        status = self._download.status
        facts = []
        if status:
            model = self._download.model
            facts.append(("Model", "{} {}".format(model.title, model.version or "not here yet")))
            facts.append(("Threads", str(self._thread_count())))
        facts.append(("Isolated", "yes" if host.isolated else _why_not_isolated()))
        if status:
            facts.append(("Engine", status.engine))
            if model.reason:
                facts.append(("Why this one", model.reason))
            facts.append(("Python", status.python))
            facts.append(("NumPy", status.numpy))
            facts.append(("Python started in", duration(float(status.boot_ms))))
            facts.append(("Python started", _how_started(status.boot)))
            facts.append(("Stored here", status.storage.used_text or "not said"))
            facts.append(("Room for", status.storage.quota_text or "not said"))
        facts.append(("Kept", self._kept_text()))
        _, reason = self._shell
        if reason:
            facts.append(("Offline", reason))
        return facts

    def _threads(self):
        n = self._thread_count()
        return "one thread" if n == 1 else count(n, "thread", "threads")

    def _thread_count(self):
        told = self._adapted or self._download.status
        return int(told.threads) if told else 1

    def _kept_text(self):
        status = self._download.status
        if self._kept is True or (status and status.storage.persisted is True):
            return "until you remove it"
        if self._kept is False:
            return "as long as the browser has room: it did not promise more"
        return "not asked yet"


def _chip(name, state, text):
    chip = by_id(name)
    if chip.textContent != text:
        chip.textContent = text
    chip.setAttribute("data-state", state)
    return chip


def _how_started(boot):
    if boot.kind == "snapshot":
        return "from a snapshot"
    return "the ordinary way: " + boot.reason


def _why_not_isolated():
    if host.first:
        return "no: this host sends no headers for it. From the next visit the page adds them."
    return "no: one thread only. After a plain reload (not a forced one) it should be."
