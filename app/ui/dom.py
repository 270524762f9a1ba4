"""Elements, made and changed without ever parsing HTML: what people name their files stays text."""

import host
from js import document

__all__ = ["announce", "by_id", "el", "fill", "hide", "keep_focus", "listen", "show", "svg"]

_KEPT_ANNOUNCEMENTS = 5


def by_id(name):
    """Return the element with this id."""
    return document.getElementById(name)


def el(tag, *children, **attributes):
    """Make an element: `el("li", "text", other, class_="card", data_state="done")`.

    Underscores in names become hyphens; `None` and `False` leave an attribute out.
    """
    return _dress(document.createElement(tag), children, attributes)


def svg(tag, **attributes):
    """Make an element of an SVG drawing."""
    return _dress(host.svgElement(tag), (), attributes)


def fill(element, *children):
    """Replace what is inside an element."""
    element.replaceChildren(*children)


def show(element, visible=True):
    """Show or hide an element; drawings have no `hidden` property, only the attribute."""
    element.toggleAttribute("hidden", not visible)


def hide(element):
    """Hide an element."""
    show(element, False)


def listen(element, event, handler):
    """Call `handler(event)`; what it does later goes into a task of its own."""
    element.addEventListener(event, handler)


def keep_focus(element, change):
    """Run `change()`; where it takes the focused element away, the focus stays in `element`.

    It goes to the button that does the same now, else to `element` itself.
    """
    at = document.activeElement
    focused = element.contains(at)
    action = at.getAttribute("data-action") if focused else None
    change()
    if focused and not element.contains(document.activeElement):
        again = element.querySelector('[data-action="{}"]'.format(action)) if action else None
        (again or element).focus()


def announce(text):
    """Say something to people who listen to the page.

    What was said last stays beside it: two sentences within one breath are both read.
    """
    log = by_id("announce")
    log.append(el("p", text))
    while log.childElementCount > _KEPT_ANNOUNCEMENTS:
        log.firstElementChild.remove()


def _dress(element, children, attributes):
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        text = "" if value is True else str(value)
        element.setAttribute(name.rstrip("_").replace("_", "-"), text)
    if children:
        element.append(*children)
    return element
