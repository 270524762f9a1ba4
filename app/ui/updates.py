"""What the engine tells of its models, wherever people look; and what they want done about it."""

import host
from dom import announce, by_id, show
from notes import dismiss, note
from standing import headline, news, spoken, strip
from tasks import start

__all__ = ["Updates"]

# What the engine did by itself and people should hear of.
_SURPRISES = {"rolled back": "warn", "withdrawn": "bad"}
# What they are waiting for, maybe without looking.
_ENDS = ("installed", "updated", "failed", "refused", "removed")


class Updates:
    """Knows the library's facts, and passes wishes on.

    Args:
        on_change: Called without arguments when there is something to show.
        watched: Tells whether the view of models is shown, where all of this can be seen.
    """

    def __init__(self, on_change, watched):
        self.facts = None
        self.failures = {}  # by model: what came of the last wish that failed
        self.arriving = {}  # by model: (bytes here, all bytes) of a first download
        self._on_change = on_change
        self._watched = watched
        self._running = {}  # by model: ends the download that was begun here
        self._dropped = []  # of these, what has come of the download that was begun here
        self._asked_back = []  # models that somebody here wants to go back
        self._told_until = None  # the newest entry of the history that was told
        self._noted = []
        self._shown = {}  # by model: what its note is about
        host.subscribe("library", self._hear)
        host.onRest(self.ask)
        host.tellConditions()

    def ours(self, model_id):
        """Whether a download that runs was begun here."""
        return model_id in self._running

    def ask(self):
        """Ask the engine how its models stand."""
        start(self._ask())

    def seen(self):
        """The view of models is shown: what notes say stands there."""
        for model_id in list(self._shown):
            self._dismiss(model_id)

    # ---- wishes

    def check(self):
        """Look for new versions now."""
        if not self.facts or not self.facts.check.running:
            self.wish("", "check")

    def update(self, model_id):
        """Fetch an update, or go on with it."""
        self._download(model_id, "fetch", None)

    def install(self, model_id):
        """Fetch a model for the first time."""

        def report(news):
            self.arriving[model_id] = (news.received, news.total)
            self._on_change()

        self.arriving[model_id] = (0, 1)
        self._download(model_id, "install", report)

    def pause(self, model_id):
        """Stop a download; what has come stays."""
        self._running[model_id]()

    def discard(self, model_id):
        """Stop a download, and drop what has come of it."""
        if model_id in self._running:
            self._dropped.append(model_id)
            self.pause(model_id)
        else:
            self.wish(model_id, "discard")

    def rollback(self, model_id):
        """Go back to the version before."""
        self._asked_back.append(model_id)
        self.wish(model_id, "rollback")

    def remove(self, model_id):
        """Delete a model."""
        self.wish(model_id, "remove")

    def offer(self, model_id, version):
        """Have a version offered again that was set aside."""
        start(self._offer(model_id, version))

    def wish(self, model_id, op, *more):
        """Have the engine do something about a model, or about all of them ("")."""
        start(self._wish(model_id, op, more))

    async def _wish(self, model_id, op, more):
        self.failures.pop(model_id, None)
        whose = (model_id,) if model_id else ()
        answer = await host.call(op, *(whose + more))
        self._came(model_id, answer)

    async def _offer(self, model_id, version):
        await self._wish(model_id, "offer_again", (version,))
        await self._wish("", "check", ())  # the check makes the offer

    def _download(self, model_id, op, report):
        if model_id not in self._running:
            start(self._downloading(model_id, op, report))

    async def _downloading(self, model_id, op, report):
        self.failures.pop(model_id, None)
        task = host.task(report, op, model_id)
        self._running[model_id] = task.cancel
        self._on_change()
        answer = await task.result
        self._running.pop(model_id)
        self.arriving.pop(model_id, None)
        self._came(model_id, answer)
        if model_id in self._dropped:
            self._dropped.remove(model_id)
            self.wish(model_id, "discard")

    def _came(self, model_id, answer):
        # Most wishes are answered by how things stand then.
        if answer.ok and answer.value and hasattr(answer.value, "models"):
            self._hear(answer.value)
        if not answer.ok and answer.name != "CancelledError":
            self.failures[model_id] = answer.message
        self._on_change()

    async def _ask(self):
        answer = await host.call("library")
        if answer.ok:
            self._hear(answer.value)
        elif not self.facts:
            self.failures[""] = answer.message
            self._on_change()

    def _model(self, model_id):
        for model in self.facts.models if self.facts else ():
            if model.id == model_id:
                return model
        return None

    # ---- what the engine tells

    def _hear(self, facts):
        if not self.facts:
            self.failures.pop("", None)
        facts = host.plain(facts)
        self.facts = facts
        host.needEngines(facts.models)
        self._show_strip()
        self._show_news()
        self._tell_history(list(facts.history))
        self._on_change()

    def _show_strip(self):
        model = headline(self.facts.models)
        chip = by_id("update")
        state = model.update.state if model else "none"
        chip.setAttribute("data-state", state)
        chip.setAttribute("data-tone", "bad" if state == "failed" else "")
        show(chip, bool(model))
        if model:
            link = by_id("update-link")
            text = strip(model.update)
            if link.textContent != text:
                link.textContent = text

    def _show_news(self):
        told = news(self.facts.models, host.meteredNow())
        current = [(model_id, about) for model_id, about, _, _, _ in told]
        for model_id, about in list(self._shown.items()):
            if (model_id, about) not in current:
                self._dismiss(model_id)
        for model_id, about, kind, text, action in told:
            if (model_id, about) in self._noted:
                continue
            self._noted.append((model_id, about))
            asks = about.startswith("ask ")
            if asks and not host.once("{} {}".format(model_id, about)):
                continue
            if asks or not self._watched():
                self._shown[model_id] = about
                note("update " + model_id, text, kind, action or None, self._way(model_id, asks))

    def _way(self, model_id, asks):
        def go():
            self._dismiss(model_id)
            if asks:
                self.update(model_id)
            else:
                host.go("models")

        return go

    def _dismiss(self, model_id):
        self._shown.pop(model_id, None)
        dismiss("update " + model_id)

    def _tell_history(self, entries):
        newest = entries[0].at if entries else ""
        if self._told_until is not None:
            # What came since, the oldest first.
            for entry in reversed([one for one in entries if one.at > self._told_until]):
                self._tell(entry)
        self._told_until = max(newest, self._told_until or "")

    def _tell(self, entry):
        if entry.outcome != "failed":
            self.failures.pop(entry.model, None)  # it is past
        model = self._model(entry.model)
        text = spoken(entry, model.title if model else entry.title)
        if entry.outcome == "rolled back" and entry.model in self._asked_back:
            self._asked_back.remove(entry.model)
            announce(text)
        elif entry.outcome in _SURPRISES and not self._watched():
            note("history " + entry.model, text, _SURPRISES[entry.outcome])
        elif entry.outcome in _SURPRISES or entry.outcome in _ENDS:
            announce(text)
