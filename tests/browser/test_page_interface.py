"""The interface's own start: MicroPython runs it, or the page says why not."""

from __future__ import annotations

import pytest
from page_photos import INTERFACE, leave

from builder.paths import APP

NOTE = "() => document.querySelector('.note[data-kind=bad]')?.innerText ?? ''"

HIDDEN = """const find = Document.prototype.getElementById;
Document.prototype.getElementById = function (id) {
  return id === "results" ? null : find.call(this, id);
};"""
"""A page without the list of photos: the interface's Python can't do without it."""

LINE = 'listen(self._list, "click", self._clicked)'
"""Where it notices."""


def test_a_mistake_in_the_interface_is_told_and_its_line_is_in_the_console(
    page, context, site_url, watch, until
):
    watch.expect("Traceback")
    heard = []
    page.on("console", lambda message: heard.append(message.text))
    context.add_init_script(HIDDEN)
    page.goto(site_url)
    said = until(page, NOTE)
    assert said.startswith("The page’s interface could not be started. AttributeError: ")
    assert said.endswith("Reload the page to try again.")
    assert page.get_by_test_id("engine-state").inner_text() == "Not working"
    source = (APP / "ui" / "label.py").read_text("utf-8").splitlines()
    number = next(n for n, line in enumerate(source, 1) if line.strip() == LINE)
    assert f'File "label.py", line {number}, in __init__' in "\n".join(heard)
    leave(context)


@pytest.mark.parametrize("what", ["micropython.mjs", "micropython.wasm"])
def test_a_micropython_that_does_not_arrive_is_told_and_a_reload_tries_again(
    page, context, site_url, watch, until, what
):
    watch.expect("")  # browsers and MicroPython have a lot to say about it
    context.route(f"**/{what}", lambda route: route.abort())
    page.goto(site_url)
    assert "interface could not be started" in until(page, NOTE)
    context.unroute(f"**/{what}")
    page.reload()
    until(page, INTERFACE)
    assert page.evaluate(NOTE) == ""
    leave(context)
