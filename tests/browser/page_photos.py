"""Photos and gestures for the page's tests."""

from __future__ import annotations

import io
import re
from pathlib import Path

from PIL import Image

CAT = Path(__file__).resolve().parents[2] / "app/static/samples/chelsea.jpg"
CATS = {281, 282, 283, 284, 285, 287}
"""ImageNet's small cats, and the lynx."""

HEIC = {
    "name": "breakfast.heic",
    "mimeType": "image/heic",
    "buffer": b"\0\0\0\x18ftypheic" + b"\0" * 99,
}
TEXT = {"name": "list.txt", "mimeType": "text/plain", "buffer": b"milk, bread"}

READY = "() => document.querySelector('[data-testid=engine-state]').dataset.state === 'ready'"
INTERFACE = "() => !document.getElementById('sample').disabled"
"""The Python of the interface runs; the engine may still be on its way."""


def state(name: str, wanted: str) -> str:
    """JavaScript for `until`: the photo with this name has reached this state."""
    return (
        "() => document.querySelector(`[data-testid=result][data-name='"
        + name
        + "']`)?.dataset.state === '"
        + wanted
        + "'"
    )


def choose(page, *files) -> None:
    """Choose files as people do, from paths or {name, mimeType, buffer}."""
    page.get_by_test_id("file-input").set_input_files([_payload(file) for file in files])


def copy_of(path: Path, name: str) -> dict[str, object]:
    """A photo under another name."""
    return {**_payload(path), "name": name}


def _payload(file: Path | dict[str, object]) -> dict[str, object]:
    if isinstance(file, dict):
        return file
    return {"name": file.name, "mimeType": "image/jpeg", "buffer": file.read_bytes()}


def result(page, name: str):
    """The card of a photo."""
    return page.locator(f"[data-testid=result][data-name='{name}']")


def hand_over(page, event: str, path: Path) -> None:
    """Drop or paste a file somewhere on the page."""
    page.evaluate(
        """([event, name, bytes]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
            const options = { bubbles: true, cancelable: true };
            const target = document.querySelector("h1");
            target.dispatchEvent(
                event === "drop"
                    ? new DragEvent("drop", { ...options, dataTransfer: transfer })
                    : new ClipboardEvent("paste", { ...options, clipboardData: transfer }),
            );
        }""",
        [event, path.name, list(path.read_bytes())],
    )


def turned_photo() -> bytes:
    """A JPEG that lies on its side: upright, its upper half is red and its lower half blue."""
    lying = Image.new("RGB", (200, 100), "red")
    lying.paste("blue", (100, 0, 200, 100))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter to the right to see it upright
    file = io.BytesIO()
    lying.save(file, "JPEG", exif=exif, quality=95)
    return file.getvalue()


def leave(context) -> None:
    """Leave all pages while requests are held, so that none of them is told of a failure."""
    for page in context.pages:
        page.goto("about:blank")


class Gate:
    """Holds requests back until it is opened, so that a test sees what happens meanwhile."""

    def __init__(self, context, pattern: str) -> None:
        self._is_open = False
        self._some: re.Pattern[str] | None = None
        self._held: list = []
        context.route(pattern, self._handle)

    def let(self, some: re.Pattern[str]) -> None:
        """Let those through whose URL holds this, the others go on waiting."""
        self._some = some
        for route in [route for route in self._held if some.search(route.request.url)]:
            self._held.remove(route)
            route.continue_()

    def open(self) -> None:
        """Let everything through that waits, and all that comes."""
        self._is_open = True
        for route in self._held:
            route.continue_()

    def _handle(self, route) -> None:
        if self._is_open or (self._some and self._some.search(route.request.url)):
            route.continue_()
        else:
            self._held.append(route)
