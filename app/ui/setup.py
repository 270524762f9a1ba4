"""The panel of the first download: what comes, how much of it is here, and a way on."""

from dom import announce, by_id, el, fill, hide, keep_focus, listen, show
from words import size

__all__ = ["SetupPanel"]

# How often a listener is told how far it is.
_ANNOUNCE_PERCENT = 25

# By the task of the model that comes.
_MEANWHILE = {
    "label": "Choose photos already if you like; they wait their turn.",
    "embed": "Write already if you like; it waits until then.",
    "tensors": "What the model takes will be listed then.",
}
_WORK = {"label": "look at a photo", "embed": "compare texts", "tensors": "run its model"}


class SetupPanel:
    """Shows one of: a question, progress, a stop with its reason; or nothing.

    Args:
        task: What the model is for.
        parts: (name, bytes) of everything that is fetched, in order.
        on_press: Called with "go" or "cancel" when its button is pressed.
    """

    def __init__(self, task, parts, on_press):
        self._task = task
        self.parts = parts
        self._on_press = on_press
        self._panel = by_id("setup")
        self._panel.tabIndex = -1
        self._announced = 0

    def hide(self):
        """Nothing to say."""
        hide(self._panel)

    def show_progress(self, received):
        """Show what is coming."""
        if self._panel.hidden or self._panel.dataset.state != "fetching":
            total = sum(length for _, length in self.parts)
            self._announced = 0
            self._show(
                "fetching",
                "Getting ready: {} to fetch, once".format(size(total)),
                _MEANWHILE[self._task] + " After this the page works without a network.",
                ("cancel", "Cancel", ""),
            )
        self.update(received)

    def update(self, received):
        """Show how far it is.

        Args:
            received: Bytes so far, by the part's name.
        """
        total = sum(length for _, length in self.parts)
        here = sum(min(received.get(name, 0), length) for name, length in self.parts)
        share = int(100 * here / total) if total else 100
        by_id("setup-bar").value = share
        figures = "{} of {} · {} %".format(size(here), size(total), share)
        by_id("setup-figures").textContent = figures
        self._list(self.parts, received)
        if share >= self._announced + _ANNOUNCE_PERCENT and share < 100:
            self._announced = share - share % _ANNOUNCE_PERCENT
            announce("Download: {} percent".format(self._announced))

    def ask(self, parts):
        """Ask before parts (name, bytes) are fetched on a connection that may cost money."""
        total = size(sum(length for _, length in parts))
        self._show(
            "ask",
            "Download {} now?".format(total),
            "This connection may cost you. The page needs {} before it can {}, once. "
            "After that it works without a network.".format(total, _WORK[self._task]),
            ("go", "Download " + total, "primary"),
        )
        self._list(parts, {})

    def stopped(self, title, why, button):
        """Say why it does not go on, and offer to."""
        state = "failed" if button == "Try again" else "stopped"
        self._show(state, title, why, ("go", button, "primary"))
        announce("{}. {}".format(title, why))

    def _list(self, parts, received):
        lines = []
        for name, length in parts:
            got = received.get(name, 0)
            state = "done" if got >= length else "now" if got else "later"
            lines.append(el("li", "{}, {}".format(name, size(length)), data_state=state))
        fill(by_id("setup-parts"), *lines)

    def _show(self, state, title, why, button):
        self._panel.setAttribute("data-state", state)
        by_id("setup-title").textContent = title
        by_id("setup-why").textContent = why
        show(by_id("setup-progress"), state == "fetching")
        show(by_id("setup-parts"), state in ("fetching", "ask"))
        kind, text, style = button
        press = el("button", text, class_="button " + style, type="button", data_action=kind)
        listen(press, "click", lambda event: self._on_press(kind))
        keep_focus(self._panel, lambda: fill(by_id("setup-actions"), press))
        show(self._panel)
