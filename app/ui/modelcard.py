"""One model's card in the library."""

import host
from dom import el, fill, keep_focus
from standing import (
    actions,
    explain,
    figures,
    heading,
    question,
    refused,
    share,
    summary,
    update_actions,
)
from words import size

__all__ = ["ModelCard", "when"]


class ModelCard:
    """A model: what it is, its update, and what can be done with it.

    Args:
        model_id: The model.
        first: Whether the page fetches it by itself, and has a panel for that.
    """

    def __init__(self, model_id, first):
        self.asking = False  # whether it shall be deleted
        self._first = first
        self._drawn = None
        self._progress = None
        self.element = el(
            "li",
            class_="card model",
            tabindex="-1",
            data_testid="model-row",
            data_model=model_id,
        )

    def update(self, model, ours, arriving, failure):
        """Show how it stands.

        Args:
            model: The library's facts about it.
            ours: Whether this page began the update that is running.
            arriving: (bytes here, all bytes) of a first download; None without one.
            failure: What came of the last wish that failed, a sentence; "" for nothing.
        """
        shape = (host.shape(model), ours, bool(arriving), failure, self.asking)
        if shape != self._drawn:
            self._drawn = shape
            keep_focus(self.element, lambda: self._draw(model, ours, arriving, failure))
        if model.update:
            self._move(figures(model.update), share(model.update))
        elif arriving:
            here, everything = arriving
            text = "{} of {} fetched".format(size(here), size(everything))
            self._move(text, int(100 * here / max(everything, 1)))

    def _move(self, text, percent):
        if self._progress:
            bar, told = self._progress
            bar.value = percent
            told.textContent = text

    # ---- parts

    def _draw(self, model, ours, arriving, failure):
        self._progress = None
        parts = [self._head(model)]
        if model.withdrawn:
            parts.append(el("p", model.withdrawn, class_="remark", data_kind="bad"))
        if model.update:
            parts.append(self._update(model, ours))
        if arriving:
            title = "Fetching " + model.title
            inside = [el("h3", title)]
            inside.extend(self._bar(title))
            inside.append(_row([("pause", "Cancel", "")], model.title))
            parts.append(el("section", *inside, class_="update"))
        if failure:
            parts.append(el("p", failure, class_="remark", role="status", data_kind="bad"))
        if model.probation and model.previous:
            text = "On trial: {} of {} answers so far. If they fail, {} comes back by itself."
            text = text.format(model.probation.runs, model.probation.of, model.previous)
            parts.append(el("p", text, class_="hint"))
        aside = [_set_aside(one) for one in refused(model)]
        if aside:
            parts.append(el("ul", *aside, class_="set-aside"))
        if self.asking:
            parts.append(self._question(model))
        elif not arriving:
            can = actions(model, self._first)
            if can:
                parts.append(_row(can, model.title))
        fill(self.element, *parts)

    def _head(self, model):
        version = el("span", model.version or "", class_="num")
        line = el("p", " · ".join(summary(model)), class_="hint")
        if model.installed and model.checked_at:
            line.append(" · checked ", when(model.checked_at))
        elif model.installed:
            line.append(" · not checked for updates yet")
        head = el("div", el("h2", model.title), version, class_="model-head")
        box = el("div", head, line)
        if model.reason:
            box.append(el("p", model.reason, class_="hint"))
        if model.problem:
            box.append(el("p", model.problem, class_="hint", data_tone="warn"))
        return box

    def _update(self, model, ours):
        update = model.update
        inside = [el("h3", heading(update))]
        if update.changelog:
            inside.append(el("p", update.changelog, class_="why"))
        if update.state in ("downloading", "paused", "verifying", "validating"):
            inside.extend(self._bar(heading(update)))
        elif figures(update):
            inside.append(el("p", figures(update), class_="num"))
        inside.extend(el("p", sentence) for sentence in explain(model))
        can = update_actions(update, ours)
        if can:
            inside.append(_row(can, model.title))
        return el("section", *inside, class_="update", data_state=update.state)

    def _bar(self, label):
        bar = el("progress", max="100", value="0", aria_label=label)
        told = el("p", class_="num")
        self._progress = (bar, told)
        return [bar, told]

    def _question(self, model):
        text = question(model, self._first)
        buttons = [("remove", "Delete", ""), ("keep", "Keep it", "primary")]
        row = _row(buttons, model.title)
        return el(
            "div",
            el("p", text),
            row,
            class_="remark",
            role="group",
            aria_label=text,
            tabindex="-1",
            data_kind="warn",
            data_part="question",
        )


def when(moment):
    """A moment as people say it, with the date behind it."""
    return el("time", host.ago(moment), datetime=moment, title=host.date(moment))


def _set_aside(one):
    version, reason, can_come = one
    line = el("li", el("p", "Version {} was set aside. {}".format(version, reason)))
    if can_come:
        line.append(_button(("offer " + version, "Offer it again", "small"), version))
    return line


def _row(can, title):
    return el("div", *[_button(one, title) for one in can], class_="row start")


def _button(what, whose):
    action, text, style = what
    return el(
        "button",
        text,
        class_="button " + style,
        type="button",
        data_action=action,
        aria_label="{}: {}".format(text, whose),
    )
