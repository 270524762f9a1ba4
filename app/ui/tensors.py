"""The tensors panel: whatever a model takes, made up or given, and whatever it gives."""

import json

import host
from dom import announce, by_id, el, fill, hide, keep_focus, listen, show
from js import Array
from shapes import axes, belongs, example, more, sizes_of
from tasks import start
from words import duration, fetching, size

__all__ = ["TensorsPanel"]

_WAYS = (("random", "Made-up numbers"), ("zeros", "Zeros"), ("json", "JSON"), ("file", "A file"))


class TensorsPanel:
    """Takes a model's inputs, lets the engine run it, shows its outputs.

    Args:
        download: Knows whether the engine is usable, and what the person waits for.
        on_result: Called with its milliseconds, and None for the decision that made it, each time
            the model has answered.
    """

    def __init__(self, download, on_result):
        self._download = download
        self._on_result = on_result
        self._model = next(model for model in host.site.models if model.task == "tensors")
        self._specs = None
        self._fields = []
        self._sizes = []  # (axis, its field) each
        self._seed = 0
        self._busy = False
        self._absent = False
        self._run = 0  # the latest one; what an earlier one still brings is not used
        self._stop = None  # ends the engine's work on it
        self._waiting = []  # files that came before anybody knew the inputs
        self._form = by_id("tensors-input")
        self._button = by_id("tensors-go")
        self._list = by_id("outputs-list")
        self._copy = _button("copy", "Copy as JSON", self._copied)
        save = _button("json", "Save as JSON", self._saved)
        fill(by_id("outputs-actions"), self._copy, save)
        host.subscribe("download", self._engine_comes)
        listen(self._form, "submit", self._submitted)
        listen(self._form, "keydown", self._key)
        start(self._describe())

    def add(self, files):
        """Take files that were dropped or pasted: for the inputs that they are called like."""
        if not self._specs:
            self._waiting.extend(files)
            return
        for file in files:
            places = belongs(file.name, [field.name for field in self._fields])
            for place in places:
                self._fields[place].take(file)
            if not places:
                names = ", ".join([field.name for field in self._fields])
                text = "{} is called like no input of the model. It takes {}."
                self._say(text.format(file.name, names), "bad")

    # ---- what people do

    def _submitted(self, event):
        host.prevent(event)
        if self._busy:
            self._cancel()
        elif self._absent:
            start(self._fetch())
        elif self._specs:
            start(self._compute())

    def _key(self, event):
        if event.key == "Enter" and (event.ctrlKey or event.metaKey) and self._specs:
            host.prevent(event)
            if not self._busy:
                start(self._compute())

    def _cancel(self):
        self._run += 1
        if self._stop:
            self._stop()
        self._finish("Cancelled.")
        hide(by_id("outputs"))
        announce("Cancelled.")

    def _copied(self, event):
        start(self._give(host.copyComputed(), "Copied."))

    def _saved(self, event):
        start(self._give(host.saveComputed("outputs-{}.json".format(host.today())), "Saved."))

    async def _give(self, promise, done):
        answer = await promise
        if answer.ok:
            by_id("outputs-ms").textContent = done
            announce(done)
        else:
            self._say(answer.message, "bad")

    # ---- the model

    async def _describe(self):
        await self._download.usable.wait()
        answer = await host.call("tensors")
        if answer.ok:
            self._absent = False
            self._draw(answer.value)
        elif answer.name == "ModelNotFoundError":
            self._absent = True
            self._button.textContent = "Fetch {}".format(size(self._model.bytes))
            self._button.disabled = False
        else:
            by_id("tensors-none").textContent = answer.message

    async def _fetch(self):
        """Get the model: only the site's first one comes by itself."""
        self._begin()
        run = self._run

        def report(news):
            if run == self._run:
                here, all_of_it = size(news.received), size(news.total)
                self._say("Fetching the model, {} of {}".format(here, all_of_it))

        task = host.task(report, "install", self._model.id)
        self._stop = task.cancel
        answer = await task.result
        if run != self._run:
            return
        self._finish("" if answer.ok else answer.message, "" if answer.ok else "bad")
        if answer.ok:
            await self._download.refresh()
            await self._describe()

    def _engine_comes(self, news):
        """Another inference engine than the site's first model has is fetched, for this one."""
        if self._busy and self._download.usable.is_set():
            self._say("Running …" if news.received >= news.total else fetching(news))

    async def _compute(self):
        given, files = self._given()
        if given is None:
            return
        self._begin()
        run = self._run
        self._show_pending()
        while not self._download.usable.is_set():
            self._say(self._download.waits_for + " …")
            await self._download.usable.wait()
        if run != self._run:
            return  # cancelled meanwhile
        self._say("Running …")
        task = host.task(None, "compute", json.dumps(given), files)
        self._stop = task.cancel
        answer = await task.result
        if run != self._run:
            return
        if answer.ok:
            self._show(answer.value)
            self._on_result(float(answer.value.ms), None)
        else:
            hide(by_id("outputs"))
            self._finish(answer.message, "bad")
            self._blame(answer.message)
            announce("The model did not run. " + answer.message)

    def _given(self):
        """What the fields hold, and the files among it; (None, None) where something is missing."""
        sizes, wrong = sizes_of([(axis, field.value) for axis, field in self._sizes])
        if wrong is not None:
            self._say("The size of {} must be a whole number, 1 or more.".format(wrong), "bad")
            next(field for axis, field in self._sizes if axis == wrong).focus()
            return None, None
        given, files = [], Array.new()
        for field in self._fields:
            field.mark(False)
            one = {"name": field.name, "how": field.how, "sizes": sizes, "seed": self._seed}
            if field.how == "json":
                one["text"] = field.text
            if field.how == "file":
                if not field.file:
                    self._say("Choose a file for {}.".format(field.name), "bad")
                    field.mark(True)
                    return None, None
                one["file"] = files.length
                files.push(field.file)
            given.append(one)
        self._seed += 1
        return given, files

    # ---- showing

    def _draw(self, specs):
        self._specs = specs
        self._fields = [_Field(place, one) for place, one in enumerate(specs.inputs)]
        hide(by_id("tensors-none"))
        fill(by_id("tensors-inputs"), *[field.element for field in self._fields])
        self._sizes = []
        parts = [el("span", "Axes of any size, where numbers are made up:", class_="hint")]
        for axis in axes(specs.inputs):
            field = el("input", type="number", min="1", value="1", inputmode="numeric")
            self._sizes.append((axis, field))
            parts.append(el("label", el("code", "no name" if axis == "?" else axis), field))
        if self._sizes:
            fill(by_id("tensors-sizes"), *parts)
            show(by_id("tensors-sizes"))
        self._button.textContent = "Run"
        self._button.disabled = False
        self._say("")
        waiting, self._waiting = self._waiting, []
        self.add(waiting)

    def _show_pending(self):
        by_id("outputs-ms").textContent = ""
        hide(by_id("outputs-actions"))
        rows = [_row(one.name, one.type, "pending") for one in self._specs.outputs]
        keep_focus(self._list, lambda: fill(self._list, *rows))
        show(by_id("outputs"))

    def _show(self, value):
        ms = float(value.ms)
        rows = [_output(one, ms) for one in value.outputs]
        keep_focus(self._list, lambda: fill(self._list, *rows))
        by_id("outputs-ms").textContent = "by {} {}".format(self._model.title, value.model.version)
        show(by_id("outputs-actions"))
        self._finish("Ran in {}".format(duration(ms)))
        announce("The model answered in {}.".format(duration(ms)))

    def _blame(self, message):
        """Take the reader to the input that a message is about."""
        for field in self._fields:
            if "'{}'".format(field.name) in message:
                field.mark(True)
                return

    def _begin(self):
        self._run += 1
        self._busy = True
        self._button.textContent = "Cancel"
        self._say("")

    def _finish(self, text, tone=""):
        self._stop = None
        self._busy = False
        self._button.textContent = "Run"
        if self._absent:
            self._button.textContent = "Fetch {}".format(size(self._model.bytes))
        self._say(text, tone)

    def _say(self, text, tone=""):
        place = by_id("tensors-state")
        place.textContent = text
        place.setAttribute("data-tone", tone)


class _Field:
    """One input: how its values come, and the place for them."""

    def __init__(self, place, spec):
        self.name = spec.name
        name = "tensor-{}".format(place)
        self._way = el("select", id=name, data_testid="tensor-way", data_name=spec.name)
        for value, text in _WAYS:
            self._way.append(el("option", text, value=value))
        self._text = el(
            "textarea",
            rows="3",
            spellcheck="false",
            placeholder=example(list(spec.shape)),
            aria_label="{} as JSON".format(spec.name),
            data_testid="tensor-json",
            data_name=spec.name,
        )
        self._file = el(
            "input",
            type="file",
            accept=".npy,.npz,.json",
            aria_label="File for {}: .npy, .npz or JSON".format(spec.name),
            data_testid="tensor-file",
            data_name=spec.name,
        )
        title = el("h2", el("code", spec.name), id=name + "-name")
        head = el("div", title, el("span", spec.type, class_="num"), class_="tensor-head")
        label = el("label", "Values", for_=name)
        self.element = el(
            "div",
            head,
            el("div", label, self._way, class_="row start"),
            self._text,
            self._file,
            class_="card tensor",
            role="group",
            aria_labelledby=name + "-name",
        )
        listen(self._way, "change", lambda event: self._show())
        self._show()

    @property
    def how(self):
        """One of the ways."""
        return self._way.value

    @property
    def text(self):
        """What was written."""
        return self._text.value

    @property
    def file(self):
        """What was chosen, or None."""
        return self._file.files[0] if self._file.files.length else None

    def take(self, file):
        """Take a file that was dropped."""
        host.putFile(self._file, file)
        self._way.value = "file"
        self._show()

    def mark(self, wrong):
        """Say that it is this one that is wrong."""
        at = {"json": self._text, "file": self._file}.get(self.how, self._way)
        for field in (self._way, self._text, self._file):
            field.removeAttribute("aria-invalid")
        if wrong:
            at.setAttribute("aria-invalid", "true")
            at.focus()

    def _show(self):
        show(self._text, self.how == "json")
        show(self._file, self.how == "file")


def _row(name, kind, state):
    title = el("h3", el("code", name))
    return el(
        "li",
        el("div", title, el("span", kind, class_="num"), class_="tensor-head"),
        class_="card tensor",
        data_testid="result",
        data_task="tensors",
        data_name=name,
        data_state=state,
    )


def _output(one, ms):
    row = _row(one.name, one.type, "done")
    row.setAttribute("data-ms", "{:.1f}".format(ms))
    first = list(one.first)
    text = ", ".join(first)
    rest = more(one.count, len(first))
    row.append(el("p", text + (" " + rest if rest else ""), class_="num values"))
    terms = []
    for name, value in one.figures:
        terms.append(el("div", el("dt", name), el("dd", value)))
    if terms:
        row.append(el("dl", *terms, class_="measures"))
    return row


def _button(name, text, action):
    button = el("button", text, class_="button small", type="button", data_action=name)
    listen(button, "click", action)
    return button
