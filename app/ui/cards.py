"""One photo's card: its thumbnail, and how far it got."""

from decisions import made
from dom import el, fill, keep_focus
from words import duration, first_name, percent

__all__ = ["Card"]

# Outside tests and styles know three states; a cancelled photo is none of theirs.
_STATES = {"waiting": "pending", "looking": "pending"}


class Card:
    """A photo in the list."""

    def __init__(self, photo):
        self.photo = photo
        self.sparing = False  # only its first label is shown
        self.canvas = el("canvas", aria_hidden="true")
        self._thumb = el("div", class_="thumb")
        self._aside = el("small")
        self._body = el("div")
        head = el("div", el("h3", photo.name), self._aside, class_="result-head")
        self.element = el(
            "li",
            self._thumb,
            el("div", head, self._body),
            class_="card result",
            tabindex="-1",
            data_testid="result",
            data_name=photo.name,
            data_number=photo.number,
        )
        self.update("Waiting")

    def show_thumbnail(self):
        """The canvas has been drawn."""
        fill(self._thumb, self.canvas)

    def update(self, waiting):
        """Show the photo's state; `waiting` says what it waits for."""
        photo = self.photo
        self.element.setAttribute("data-state", _STATES.get(photo.state, photo.state))
        keep_focus(self.element, lambda: self._change(waiting))

    def _change(self, waiting):
        photo = self.photo
        self._thumb.removeAttribute("data-looking")
        if photo.state == "done":
            index = photo.predictions[0][0] if photo.predictions else ""
            self.element.setAttribute("data-index", str(index))
            self.element.setAttribute("data-ms", "{:.1f}".format(photo.ms))
            self._aside.textContent = duration(photo.ms)
            fill(self._body, _bars(photo.predictions[:1] if self.sparing else photo.predictions))
            if photo.made:
                self._body.append(el("p", made(photo.made), class_="made", title=photo.made.reason))
        elif photo.state == "failed":
            self._aside.textContent = "not read" if photo.hopeless else "failed"
            fill(self._body, el("p", photo.reason, class_="why"))
            if not photo.hopeless:
                self._body.append(self._row("retry", "Try again"))
        elif photo.state == "cancelled":
            self._aside.textContent = "cancelled"
            fill(self._body, self._row("retry", "Look at it after all"))
        else:
            looking = photo.state == "looking"
            self._aside.textContent = "Looking" if looking else waiting
            self._thumb.toggleAttribute("data-looking", looking)
            fill(self._body, self._row("cancel", "Cancel"))

    def _row(self, action, text):
        # One listener on the list serves all cards (label.py).
        button = el(
            "button",
            text,
            class_="button small",
            type="button",
            data_action=action,
            aria_label="{}: {}".format(text, self.photo.name),
        )
        return el("div", button, class_="row")


def _bars(predictions):
    return el("ul", *[_bar(label, score) for _, label, score in predictions], class_="bars")


def _bar(label, score):
    bar = el("progress", max="100", value="{:.1f}".format(100 * score), aria_hidden="true")
    return el(
        "li",
        el("span", first_name(label), title=label),
        bar,
        el("span", percent(score), class_="num"),
    )
