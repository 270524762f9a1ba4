"""Figures and failures as a person would say them. Pure: it runs on any Python."""

__all__ = ["count", "duration", "fetching", "first_name", "percent", "size", "why_not"]

# What a file turned out to be → what it is called, and the way on.
_KINDS = {
    "heic": ("a HEIC photo, which this browser can’t open", "Export it as JPEG and try again."),
    "tiff": ("a TIFF image, which browsers can’t open", "Export it as JPEG or PNG and try again."),
    "photoshop": ("a Photoshop file", "Export it as JPEG or PNG and try again."),
    "jxl": ("a JPEG XL image, which this browser can’t open", "Export it as JPEG and try again."),
    "svg": ("a drawing (SVG), not a photo", "Export it as PNG and try again."),
    "pdf": ("a PDF, not a photo", "Save its pages as images and try those."),
    "zip": ("an archive or a document, not a photo", "Unpack it and choose the photos in it."),
    "video": ("a video, not a photo", "Take a still picture from it and try that."),
    "audio": ("a sound file, not a photo", "Choose a photo instead."),
    "text": ("text, not a photo", "Choose a photo instead."),
    "empty": ("empty: there is nothing in it", "Look at the original, and copy it again."),
    "folder": ("a folder", "Open it and choose the photos in it."),
}
_IMAGES = ("jpeg", "png", "gif", "webp", "avif", "icon")


def size(n):
    """Bytes as people read them: 4.9 MB."""
    n = float(n)
    if n < 1000:
        return "{} bytes".format(int(n))
    for unit in ("kB", "MB"):
        n /= 1000
        if n < 999.5:
            return "{:.1f} {}".format(n, unit) if n < 99.95 else "{:.0f} {}".format(n, unit)
    return "{:.1f} GB".format(n / 1000)


def fetching(news):
    """Say how far a part is: `news` has its name as `part`, `received` and `total` bytes."""
    name = news.part[0].lower() + news.part[1:]
    return "Fetching the {}, {} of {}".format(name, size(news.received), size(news.total))


def duration(ms):
    """Milliseconds as people read them: 28 ms, 1.4 s."""
    if ms < 9.95:
        return "{:.1f} ms".format(ms)
    if ms < 999.5:
        return "{:.0f} ms".format(ms)
    return "{:.1f} s".format(ms / 1000)


def percent(score):
    """A probability as a share of a hundred: 81 %, and never a 0 or 100 that isn't one."""
    value = 100 * score
    if value < 1:
        return "< 1 %"
    if 99.5 <= value < 100:
        return "> 99 %"
    return "{:.0f} %".format(value)


def count(n, one, many):
    """Say how many: `count(1, "photo", "photos")` is "1 photo"."""
    return "{} {}".format(n, one if n == 1 else many)


def first_name(label):
    """The first of a label's names; ImageNet gives some of them five."""
    return label.split(",")[0].strip()


def why_not(kind, message):
    """Explain why a file could not be looked at.

    Args:
        kind: What its first bytes say it is (`kindOf` in ui.mjs), or "" when they say nothing.
        message: What the browser or the engine said, if anything.
    """
    if kind in _KINDS:
        what, todo = _KINDS[kind]
        return "This is {}. {}".format(what, todo)
    if kind == "unreadable":
        return "The file could not be read: it was moved, or changed since. Choose it again."
    if kind in _IMAGES:
        name = "an icon" if kind == "icon" else kind.upper() if kind != "webp" else "WebP"
        return (
            "It begins like {}, but could not be decoded: it is damaged, or not all there. "
            "Look at the original, and copy it again.".format(name)
        )
    if message:
        return message
    return "This is no image that this browser can open. Try JPEG, PNG, WebP or AVIF."
