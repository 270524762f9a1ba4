"""How the engine works now and why, how that changed, and what people insist on."""

import host
from decisions import facts as facts_of
from decisions import title
from dom import by_id, el, fill, listen, show
from js import document
from modelcard import when
from notes import dismiss, note
from tasks import start

__all__ = ["EffortPanel"]


class EffortPanel:
    """The strategy in force, the choices, and the history.

    Args:
        unit: What one answer is about: "photo".
    """

    def __init__(self, unit):
        self._unit = unit
        self._drawn = None
        self._history = None
        self._wish = ("", "balanced")
        self._telling = 0  # choices that the engine has not taken yet
        listen(by_id("choice"), "change", self._chosen)
        listen(by_id("choice"), "submit", host.prevent)  # by the enter key
        # An engine that was started anew knows nothing of it.
        host.onRest(lambda: start(self._tell()) if self._wish != ("", "balanced") else None)

    def update(self, facts):
        """Show how it stands."""
        card = by_id("effort-title").parentElement
        card.setAttribute("data-strategy", facts.strategy)
        _say("effort-title", "Right now: " + title(facts.strategy).lower())
        _say("effort-reason", facts.reason)
        told = (facts_of(facts, self._unit), list(facts.notes))
        if told != self._drawn:
            self._drawn = told
            rows, notes = told
            terms = []
            for name, text in rows:
                terms.append(el("dt", name))
                terms.append(el("dd", text))
            fill(by_id("effort-facts"), *terms)
            fill(by_id("effort-notes"), *[el("li", sentence) for sentence in notes])
            show(by_id("effort-notes"), bool(notes))
        self._show_history(list(facts.history))
        if not self._telling:
            # A browser may have kept what was chosen at the last visit.
            chosen = '[name=override][value="{}"]'.format(facts.override or "")
            document.querySelector(chosen).checked = True
            by_id("priority").value = facts.priority

    def _show_history(self, entries):
        drawn = [(entry.at, entry.reason) for entry in entries]
        if drawn == self._history:
            return
        self._history = drawn
        fill(by_id("efforts"), *[_entry(entry) for entry in reversed(entries)])
        show(by_id("efforts-none"), not entries)

    # ---- what people want

    def _chosen(self, event):
        override = document.querySelector("[name=override]:checked").value
        self._wish = (override, by_id("priority").value)
        start(self._tell())

    async def _tell(self):
        dismiss("adapt")
        override, priority = self._wish
        self._telling += 1
        answer = await host.call("adapt", override, priority)
        self._telling -= 1
        if not answer.ok:
            note("adapt", "The engine did not take your choice. " + answer.message, "bad")
            return
        if answer.value:  # else nothing has been decided yet: it will be told
            self.update(answer.value)


def _entry(entry):
    outcome = el("b", title(entry.strategy), data_strategy=entry.strategy)
    head = el("p", outcome, when(entry.at), class_="entry-head")
    return el("li", head, el("p", entry.reason))


def _say(name, text):
    place = by_id(name)
    if place.textContent != text:
        place.textContent = text
