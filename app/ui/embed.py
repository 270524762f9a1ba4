"""The compare panel: texts in, one a line, and how alike they are."""

import host
from dom import announce, by_id, el, fill, keep_focus, listen, show
from js import document
from tasks import start
from texts import lines, order, score_text
from words import duration, fetching, size

__all__ = ["EmbedPanel"]

_SAMPLE = """A man is playing the guitar on a small stage.
Someone performs a song for an audience.
The cat sleeps on the warm windowsill.
Two dogs chase a ball across the lawn.
Shares fell after the bank raised its rates."""


class EmbedPanel:
    """Takes texts, lets the engine embed them, shows which are alike.

    Args:
        download: Knows whether the engine is usable, and what texts wait for.
        on_result: Called with the milliseconds for each text, and the decision that made them,
            each time texts were compared.
    """

    def __init__(self, download, on_result):
        self._download = download
        self._on_result = on_result
        self._model = next(model for model in host.site.models if model.task == "embed")
        self._busy = False
        self._asked = False
        self._run = 0  # the latest comparison; what an earlier one still brings is not used
        self._stop = None  # ends the engine's work on it
        self._texts = []
        self._answer = None
        self._input = by_id("text-input")
        self._button = by_id("embed-go")
        self._list = by_id("alike-list")
        listen(by_id("embed-input"), "submit", self._submitted)
        listen(self._input, "keydown", self._key)
        listen(self._list, "click", self._clicked)
        host.subscribe("download", self._engine_comes)
        sample = by_id("embed-sample")
        listen(sample, "click", self._sample)
        sample.disabled = False
        self._button.disabled = False

    # ---- what people do

    def _submitted(self, event):
        host.prevent(event)
        if self._busy:
            self._cancel()
        else:
            start(self._compare())

    def _key(self, event):
        if event.key == "Enter" and (event.ctrlKey or event.metaKey):
            host.prevent(event)
            start(self._compare())

    def _sample(self, event):
        self._input.value = _SAMPLE
        start(self._compare())

    def _clicked(self, event):
        button = event.target.closest("button[data-number]")
        if button and self._answer:
            self._show_likeness(int(button.dataset.number))

    def _cancel(self):
        self._run += 1
        if self._stop:
            self._stop()
        self._finish("Cancelled.")
        self._mark("failed")
        announce("Cancelled.")

    # ---- a comparison

    async def _compare(self):
        if self._busy:
            self._cancel()
        self._run += 1
        run = self._run
        texts = lines(self._input.value)
        if len(texts) < 2:
            self._say("Write two texts at least, each on a line of its own.", "bad")
            self._input.focus()
            return
        if not self._may_fetch():
            return
        self._texts, self._answer = texts, None
        self._busy = True
        self._button.textContent = "Cancel"
        self._show_pending()
        while not self._download.usable.is_set():
            self._say(self._download.waits_for + " …")
            await self._download.usable.wait()
        if run != self._run:
            return  # cancelled, or begun anew
        self._say("Comparing …")
        answer = await self._embed()
        if run == self._run and not answer.ok and answer.name == "ModelNotFoundError":
            answer = await self._install(run)
            if run == self._run and answer.ok:
                self._say("Comparing …")
                answer = await self._embed()
        if run != self._run:
            return
        if answer.ok:
            self._answer = answer.value
            ms = float(answer.value.ms)
            self._finish("{} texts in {}".format(len(texts), duration(ms)))
            self._show_likeness(0)
            self._on_result(ms / len(texts), host.plain(answer.value.decision))
        else:
            self._finish(answer.message, "bad")
            self._mark("failed")
            announce("The texts could not be compared. " + answer.message)

    def _may_fetch(self):
        """Ask before a model is fetched on a connection that may cost money."""
        asked, self._asked = self._asked, True
        if asked or not host.metered or not self._download.status or self._is_here():
            return True
        text = "This needs {} once, and this connection may cost you. Press again to fetch it."
        self._say(text.format(size(self._model.bytes)), "bad")
        return False

    def _is_here(self):
        return any(
            model.installed for model in self._download.status.models if model.id == self._model.id
        )

    async def _install(self, run):
        """Get the model: only the site's first one comes by itself."""

        def report(news):
            if run == self._run:
                here, all_of_it = size(news.received), size(news.total)
                self._say("Fetching the model, {} of {}".format(here, all_of_it))

        task = host.task(report, "install", self._model.id)
        self._stop = task.cancel
        answer = await task.result
        self._stop = None
        if answer.ok:
            await self._download.refresh()
        return answer

    async def _embed(self):
        task = host.embed("\n".join(self._texts))
        self._stop = task.cancel
        answer = await task.result
        self._stop = None
        return answer

    def _engine_comes(self, news):
        """Another inference engine than the site's first model has is fetched, for this one."""
        if self._busy and self._download.usable.is_set():
            self._say("Comparing …" if news.received >= news.total else fetching(news))

    # ---- showing

    def _show_pending(self):
        rows = [self._row(number, None) for number in range(len(self._texts))]
        keep_focus(self._list, lambda: fill(self._list, *rows))
        show(by_id("alike"))

    def _show_likeness(self, chosen):
        scores = [float(score) for score in host.likeness(self._answer, chosen)]
        ranking = order(scores, chosen)
        rows = [self._row(number, scores[number], number == chosen) for number in ranking]
        # The chosen text moves to the top, and the focus with it.
        focused = self._list.contains(document.activeElement)
        fill(self._list, *rows)
        if focused:
            rows[0].firstElementChild.focus()
        best = ranking[1]
        announce("Most alike: {}, {}.".format(self._texts[best], score_text(scores[best])))

    def _row(self, number, score, chosen=False):
        text = self._texts[number]
        row = el(
            "li",
            el(
                "button",
                text,
                class_="pick",
                type="button",
                disabled=score is None,
                aria_pressed="true" if chosen else "false",
                data_number=number,
            ),
            data_testid="result",
            data_task="embed",
            data_name=text,
            data_index=number,
            data_state="pending" if score is None else "done",
        )
        if score is not None:
            row.setAttribute("data-score", "{:.4f}".format(score))
            row.setAttribute("data-ms", "{:.1f}".format(float(self._answer.ms)))
            value = "{:.3f}".format(max(0, score))
            row.append(el("progress", max="1", value=value, aria_hidden="true"))
            row.append(el("span", score_text(score), class_="num"))
        return row

    def _mark(self, state):
        for row in self._list.querySelectorAll("[data-state=pending]"):
            row.setAttribute("data-state", state)

    def _say(self, text, tone=""):
        place = by_id("embed-state")
        place.textContent = text
        place.setAttribute("data-tone", tone)

    def _finish(self, text, tone=""):
        self._stop = None
        self._busy = False
        self._button.textContent = "Compare"
        self._say(text, tone)
