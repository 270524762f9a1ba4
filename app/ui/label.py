"""The label panel: photos in, labels out, one after another."""

import asyncio
import json
from collections import OrderedDict

import host
from cards import Card
from dom import announce, by_id, el, fill, listen, show
from export import csv_text, json_value
from photos import Photos
from tasks import start
from words import count, first_name, percent, why_not

__all__ = ["LabelPanel"]

TOP = 5
# Up to this many results at once are read out one by one, more as a sum.
_SPOKEN = 3


class LabelPanel:
    """Takes photos, lets the engine look at them, shows what it saw.

    Args:
        download: Knows whether the engine is usable, and what photos wait for.
        on_look: Called when the first of some waiting photos is looked at.
        on_result: Called with its milliseconds, and the decision that made it, for each answer.
    """

    def __init__(self, download, on_look, on_result):
        self._waits_for = download.waits_for  # as the cards say it
        self._last = None  # the card after which the next batch goes, while this one is worked on
        self.photos = Photos()
        self._download = download
        self._on_look = on_look
        self._on_result = on_result
        self._cards = {}
        self._arrived = asyncio.Event()
        self._undrawn = []
        self._drawing = False
        self._together = 1
        self._sparing = False  # what nobody waits for is put off
        self._short = []  # cards that show the first label only
        self._news = []  # not yet said aloud
        self._list = by_id("results")
        listen(self._list, "click", self._clicked)
        self._csv = _button("csv", "Save as CSV", self._save_csv)
        self._json = _button("json", "Save as JSON", self._save_json)
        self._stop = _button("cancel", "Cancel all", self._cancel_all)
        clear = _button("clear", "Clear the list", self._clear)
        fill(by_id("queue-actions"), self._stop, self._csv, self._json, clear)

    def add(self, files):
        """Put photos into the queue. The newest stand on top, but never before their turn."""
        busy = bool(self.photos.with_state("waiting", "looking"))
        cards = []
        for file in files:
            photo = self.photos.add(file, file.name)
            card = Card(photo)
            card.update(self._download.waits_for)
            self._cards[photo.number] = card
            self._undrawn.append(card)
            cards.append(card.element)
        if busy and self._last:
            self._last.after(*cards)
        else:
            self._list.prepend(*cards)
        self._last = cards[-1]
        self.show_state()
        self._arrived.set()
        if not self._drawing:
            start(self._draw())

    def show_state(self):
        """Show counts and buttons, and what waiting photos wait for."""
        photos = self.photos
        show(by_id("queue"), bool(photos.all))
        if self._waits_for != self._download.waits_for:
            self._waits_for = self._download.waits_for
            for photo in photos.with_state("waiting"):
                self._cards[photo.number].update(self._waits_for)
        finished = photos.with_state("done")
        failed = photos.with_state("failed")
        text = "{} of {} done".format(len(finished), len(photos.all))
        if failed:
            text += ", {} not read".format(len(failed))
        by_id("queue-count").textContent = text
        show(self._csv, bool(finished))
        show(self._json, bool(finished))
        show(self._stop, len(photos.with_state("waiting", "looking")) > 1)

    def adapted(self, facts):
        """The engine works otherwise now.

        Args:
            facts: `together`, how many photos to give it at once, so that it can rest after more
                than one; `extras`, whether to do what nobody waits for: small pictures, and all
                labels but the first.
        """
        self._together = int(facts.together)
        self._sparing = not facts.extras
        if not self._drawing:
            start(self._draw())

    async def run(self):
        """Look at one photo after another, as long as the page is open."""
        while True:
            photos = self.photos.next(self._together)
            if not photos:
                self._speak(self._news)
                self._news = []
                self._arrived.clear()
                await self._arrived.wait()
                continue
            if not self._download.usable.is_set():
                await self._download.usable.wait()
                continue  # they may have been cancelled meanwhile
            others = [asyncio.create_task(self._look(photo)) for photo in photos[1:]]
            await self._look(photos[0])
            for look in others:
                await look
            self._news.extend(photos)

    # ---- one photo

    async def _look(self, photo):
        photo.state = "looking"
        self._show(photo)
        if not self._news:
            self._on_look()
        task = host.task(None, "label", photo.file, TOP)
        photo.stop = task.cancel
        answer = await task.result
        photo.stop = None
        if photo.state != "looking":
            return  # cancelled, or found to be no image meanwhile
        if answer.ok:
            value = answer.value
            photo.predictions = [(p.index, p.label, p.score) for p in value.predictions]
            photo.ms = float(value.ms)
            photo.made = host.plain(value.decision)
            model = value.model
            photo.model = OrderedDict([("id", model.id), ("version", model.version)])
            photo.state = "done"
            self._on_result(photo.ms, photo.made)
            if self._sparing and photo.number in self._cards:
                card = self._cards[photo.number]
                card.sparing = True
                self._short.append(card)
        elif answer.name == "EngineStoppedError":
            photo.state = "waiting"  # it gets its turn when there is an engine again
            self._download.usable.clear()
        elif answer.name == "ImageError":
            await self._no_image(photo, answer.message)
        else:
            photo.state, photo.reason = "failed", answer.message
        self._show(photo)

    async def _no_image(self, photo, message):
        photo.state, photo.hopeless = "failed", True
        photo.reason = why_not(await host.kindOf(photo.file), message)

    async def _draw(self):
        """Draw thumbnails. What can't be drawn is no image here: it need not wait to hear so."""
        self._drawing = True
        while not self._sparing:
            if self._short:
                card = self._short.pop(0)
                card.sparing = False
                card.update("")
                await asyncio.sleep(0)
                continue
            if not self._undrawn:
                break
            card = self._undrawn.pop(0)
            answer = await host.thumbnail(card.canvas, card.photo.file)
            if answer.ok:
                card.show_thumbnail()
            elif card.photo.state == "waiting":
                await self._no_image(card.photo, "")
                self._show(card.photo)
                self._news.append(card.photo)
                self._arrived.set()
        self._drawing = False

    # ---- buttons

    def _clicked(self, event):
        button = event.target.closest("button[data-action]")
        if not button:
            return
        number = int(button.closest("[data-number]").dataset.number)
        photo = self.photos.find(number)
        if button.dataset.action == "cancel":
            self.photos.cancel(photo)
        elif self.photos.retry(photo):
            self._arrived.set()
        self._show(photo)

    def _cancel_all(self, event):
        for photo in self.photos.with_state("waiting", "looking"):
            self.photos.cancel(photo)
            self._show(photo)
        announce("Cancelled.")

    def _clear(self, event):
        self.photos.clear()
        self._cards = {}
        self._undrawn = []
        self._short = []
        self._last = None
        fill(self._list)
        self.show_state()
        by_id("label-title").focus()

    def _save_csv(self, event):
        # The mark in front tells spreadsheets that the text is UTF-8.
        text = "\ufeff" + csv_text(self.photos.all)
        host.save(self._file_name("csv"), "text/csv;charset=utf-8", text)

    def _save_json(self, event):
        made_with = "{} {}".format(host.site.title, host.site.version)
        text = json.dumps(json_value(self.photos.all, made_with))
        host.save(self._file_name("json"), "application/json", host.indented(text))

    def _file_name(self, ending):
        return "labels-{}.{}".format(host.today(), ending)

    # ---- showing

    def _show(self, photo):
        card = self._cards.get(photo.number)
        if card:
            card.update(self._download.waits_for)
        self.show_state()

    def _speak(self, photos):
        done = [photo for photo in photos if photo.state == "done"]
        failed = [photo for photo in photos if photo.state == "failed"]
        if len(done) + len(failed) <= _SPOKEN:
            sentences = [_sentence(photo) for photo in done]
            sentences += ["{} could not be read.".format(photo.name) for photo in failed]
            text = " ".join(sentences)
        else:
            text = count(len(done), "photo is", "photos are") + " labelled."
            if failed:
                text += " {} could not be read.".format(len(failed))
        if text:
            announce(text)


def _button(name, text, action):
    button = el("button", text, class_="button small", type="button", data_action=name)
    listen(button, "click", action)
    return button


def _sentence(photo):
    _, label, score = photo.predictions[0]
    return "{}: {}, {}.".format(photo.name, first_name(label), percent(score))
