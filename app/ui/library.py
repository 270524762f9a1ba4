"""The Models view: what is here, what is new, how much room it takes, and what happened."""

import host
from dom import announce, by_id, el, fill, keep_focus, listen, show
from modelcard import ModelCard, when
from standing import looked, versions
from words import size

__all__ = ["LibraryPanel"]


class LibraryPanel:
    """Shows the library's facts and takes what people want done.

    Args:
        updates: Knows the facts, and passes wishes on.
    """

    def __init__(self, updates):
        self._updates = updates
        self._first = host.site.models[0].id
        self._cards = {}
        self._entries = None
        self._list = by_id("models-list")
        listen(self._list, "click", self._clicked)
        listen(by_id("check-now"), "click", lambda event: updates.check())
        listen(by_id("history-clear"), "click", self._clear)
        listen(by_id("device-new"), "click", self._new_device)
        host.keepTimes(by_id("view-models"))

    def update(self):
        """Show everything anew."""
        facts = self._updates.facts
        if not facts:
            failure = self._updates.failures.get("")
            if failure:
                fill(self._list, el("li", failure, class_="remark", data_kind="bad"))
            return
        for model in facts.models:
            self._card(model)
        self._show_check(facts)
        self._show_room(facts.storage)
        self._show_history(list(facts.history), {one.id: one.title for one in facts.models})

    # ---- models

    def _card(self, model):
        card = self._cards.get(model.id)
        if not card:
            if not self._cards:
                fill(self._list)  # the word of waiting
            card = self._cards[model.id] = ModelCard(model.id, model.id == self._first)
            self._list.append(card.element)
        if not model.installed:
            card.asking = False
        updates = self._updates
        failure = updates.failures.get(model.id, "")
        if model.update and model.update.state == "failed":
            failure = ""  # it stands there already
        card.update(
            model,
            updates.ours(model.id),
            updates.arriving.get(model.id),
            failure,
        )

    def _clicked(self, event):
        button = event.target.closest("button[data-action]")
        if not button:
            return
        model_id = button.closest("[data-model]").dataset.model
        action, _, version = button.dataset.action.partition(" ")
        if action in ("delete", "keep"):
            self._ask(model_id, action == "delete")
        elif action == "pin":
            self._updates.wish(model_id, "pin", self._model(model_id).version)
        elif action == "follow":
            self._updates.wish(model_id, "pin", None)
        elif action == "offer":
            self._updates.offer(model_id, version)
        else:
            getattr(self._updates, action)(model_id)

    def _ask(self, model_id, asking):
        card = self._cards[model_id]
        card.asking = asking
        self.update()
        wanted = "[data-part=question]" if asking else "[data-action=delete]"
        card.element.querySelector(wanted).focus()

    def _model(self, model_id):
        return next(model for model in self._updates.facts.models if model.id == model_id)

    # ---- looking for new versions

    def _show_check(self, facts):
        check = facts.check
        ago = host.ago(check.at) if check.at else ""
        waiting = sum(1 for model in facts.models if model.update)
        text, tone = looked(check, ago, host.online(), waiting)
        failure = self._updates.failures.get("")
        if failure and not check.running:
            text, tone = failure, "warn"
        place = by_id("check-why")
        if place.textContent != text:
            place.textContent = text
        place.setAttribute("data-tone", tone)
        by_id("check-now").setAttribute("aria-disabled", "true" if check.running else "false")
        show(by_id("check-development"), host.site.trust.development)

    # ---- room

    def _show_room(self, storage):
        text = storage.used_text + " used"
        show(by_id("room-bar"), bool(storage.quota))
        if storage.quota:
            host.fillMeter(by_id("room-bar"), storage)
            text += ", {} left".format(size(1e6 * host.megabytesLeft(storage)))
        by_id("room-figures").textContent = text
        by_id("room-kept").textContent = (
            "The browser promised to keep it until you remove it."
            if storage.persisted
            else "The browser may clear it when the device runs out of room."
        )

    # ---- what happened

    def _show_history(self, entries, titles):
        drawn = [(entry.at, entry.model, entry.outcome, entry.text) for entry in entries]
        if drawn == self._entries:
            return
        self._entries = drawn
        keep_focus(
            by_id("history-title"),
            lambda: fill(by_id("history"), *[_entry(entry, titles) for entry in entries]),
        )
        show(by_id("history-none"), not entries)
        show(by_id("history-clear"), bool(entries))

    def _clear(self, event):
        by_id("history-title").focus()
        self._updates.wish("", "clear_history")

    def _new_device(self, event):
        self._updates.wish("", "reset_device")
        announce("This device has a new number.")


def _entry(entry, titles):
    # What the page calls it: its maker may have another name for it.
    name = "{} {}".format(titles.get(entry.model, entry.title), versions(entry))
    head = el(
        "p",
        el("b", name),
        el("span", entry.outcome, class_="outcome", data_outcome=entry.outcome),
        when(entry.at),
        class_="entry-head",
    )
    return el("li", head, el("p", entry.text) if entry.text else "")
