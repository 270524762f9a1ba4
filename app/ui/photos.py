"""The photos in the list, and whose turn it is. Pure: it decides, others do."""

__all__ = ["Photo", "Photos", "median"]


class Photo:
    """One photo on its way: waiting → looking → done, failed or cancelled."""

    def __init__(self, number, file, name):
        self.number = number
        self.file = file
        self.name = name
        self.state = "waiting"
        self.predictions = []  # of (index, label, score), the likeliest first
        self.ms = None
        self.model = None
        self.made = None  # the decision that made the answer; None: there was none
        self.reason = ""
        self.hopeless = False  # another try would end the same
        self.stop = None  # ends the engine's work on it, while it is looked at

    @property
    def open(self):
        """Whether something is still to come."""
        return self.state in ("waiting", "looking")


class Photos:
    """All photos, in the order in which they came."""

    def __init__(self):
        self.all = []
        self._number = 0

    def add(self, file, name):
        """Put a photo at the end of the queue."""
        self._number += 1
        photo = Photo(self._number, file, name)
        self.all.append(photo)
        return photo

    def find(self, number):
        """Return the photo with this number, or None when it was cleared."""
        for photo in self.all:
            if photo.number == number:
                return photo
        return None

    def next(self, most=1):
        """Return the first that wait, so many at most."""
        found = []
        for photo in self.all:
            if photo.state == "waiting":
                found.append(photo)
                if len(found) == most:
                    break
        return found

    def cancel(self, photo):
        """Take a photo out of its turn; an answer that still arrives is not used."""
        if not photo.open:
            return False
        photo.state = "cancelled"
        if photo.stop:
            photo.stop()
            photo.stop = None
        return True

    def retry(self, photo):
        """Let a photo wait once more."""
        if photo.open or photo.state == "done":
            return False
        photo.state, photo.reason = "waiting", ""
        return True

    def clear(self):
        """Forget all, and stop what is being looked at."""
        for photo in self.all:
            self.cancel(photo)
        self.all = []

    def with_state(self, *states):
        """Return the photos in any of these states."""
        return [photo for photo in self.all if photo.state in states]

    def times(self, most=40):
        """Return the milliseconds of the last photos, in their order."""
        return [photo.ms for photo in self.all if photo.state == "done"][-most:]


def median(values):
    """The middle one of some values."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
