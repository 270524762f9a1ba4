"""The order in which files go to a host, so that no visitor gets one that names what isn't there.

Whatever is named by its content goes first, blobs before what leads to them; the timestamp, which
leads to all of it, goes last.
"""

from collections.abc import Iterable
from pathlib import Path

from builder.files import tree, write_whole
from builder.release import layout

LIST = "_upload.txt"
"""A site's list, in its folder."""

_LAST = 9
_STEPS = (
    ("blobs/", 1),
    ("manifests/", 2),
    ("metadata/timestamp.json", _LAST),
    ("metadata/", 3),
)
_PAGE = 5
_CONTENT = ("assets/", "runtime/", "wheels/")


def ordered(names: Iterable[str]) -> list[str]:
    """Sort relative POSIX paths of a repository, or of a site with one below `models/`.

    >>> ordered(["models/metadata/timestamp.json", "index.html", "models/blobs/ab", "sw.js"])
    ['models/blobs/ab', 'index.html', 'sw.js', 'models/metadata/timestamp.json']
    """
    return sorted(names, key=_key)


def _key(name: str) -> tuple[int, int, str]:
    within = name.removeprefix("models/")
    for start, step in _STEPS:
        if within.startswith(start):
            # Roots in their own order: a device takes them one after the other.
            number = within.removeprefix(start).partition(".")[0]
            return step, int(number) if step == 3 and number.isdigit() else 0, name
    return (0 if name.startswith(_CONTENT) else _PAGE), 0, name


def write(repository: Path) -> None:
    """Write a repository's list, for one that has an origin of its own."""
    names = (
        name
        for name, _ in tree(repository)
        if name.startswith(tuple(f"{one}/" for one in layout.SERVED))
    )
    write_whole(repository / layout.UPLOAD, "".join(f"{name}\n" for name in ordered(names)))
