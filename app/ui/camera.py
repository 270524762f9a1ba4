"""Photos from the camera, without leaving the page."""

import host
from dom import by_id, listen
from tasks import start

__all__ = ["Camera"]

# The browser's names for what can go wrong, as a person would say them.
_REASONS = {
    "NotAllowedError": "The camera is not allowed here. Allow it beside the page’s address, "
    "then open this again.",
    "NotFoundError": "There is no camera on this device. Choose a photo instead.",
    "NotReadableError": "The camera is in use by another program. Close that one, "
    "then open this again.",
}


class Camera:
    """The camera's dialog.

    Args:
        on_photo: Called with a list of one file for each photo taken.
    """

    def __init__(self, on_photo):
        self._on_photo = on_photo
        self._taken = 0
        self._dialog = by_id("camera")
        self._video = by_id("camera-view")
        self._take = by_id("camera-take")
        opener = by_id("camera-open")
        opener.disabled = not host.hasCamera()
        if opener.disabled:
            opener.title = "This browser offers no camera to this page"
        listen(opener, "click", lambda event: start(self._open()))
        listen(self._take, "click", lambda event: start(self._photo()))
        listen(by_id("camera-close"), "click", lambda event: self._dialog.close())
        # Also for Escape: the camera's light goes out whenever the dialog does.
        listen(self._dialog, "close", lambda event: host.closeCamera(self._video))

    async def _open(self):
        self._take.disabled = True
        self._say("The browser may ask whether this page may use the camera.")
        host.showDialog(self._dialog)
        answer = await host.openCamera(self._video)
        if not self._dialog.open:
            host.closeCamera(self._video)
        elif answer.ok:
            self._say("The picture stays on this device.")
            self._take.disabled = False
            self._take.focus()
        else:
            self._say(_REASONS.get(answer.name, "The camera did not start: " + answer.message))

    async def _photo(self):
        self._taken += 1
        answer = await host.takePhoto(self._video, "camera-{}.jpg".format(self._taken))
        if answer.ok:
            self._dialog.close()
            self._on_photo([answer.value])
        else:
            self._say("No photo was taken: {}. Try once more.".format(answer.message))

    def _say(self, text):
        by_id("camera-why").textContent = text
