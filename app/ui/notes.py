"""What the page has to say above everything else, and a way on for each."""

from dom import by_id, el, listen

__all__ = ["dismiss", "note"]

_shown = {}


def note(key, text, kind="info", action=None, on_action=None):
    """Show a note; a later one with the same key takes its place.

    Args:
        key: What it is about.
        text: The sentence.
        kind: "info", "warn" or "bad".
        action: What its button says; None for no button.
        on_action: Called when the button is pressed.
    """
    dismiss(key)
    box = el("div", el("p", text), class_="note", role="status", data_kind=kind, data_note=key)
    if action:
        button = el("button", action, class_="button primary", type="button")
        listen(button, "click", lambda event: on_action())
        box.append(button)
    close = el("button", "Later" if action else "Close", class_="button quiet", type="button")
    listen(close, "click", lambda event: dismiss(key))
    box.append(close)
    _shown[key] = box
    by_id("notes").append(box)


def dismiss(key):
    """Take a note away, if it is there."""
    box = _shown.pop(key, None)
    if box:
        box.remove()
