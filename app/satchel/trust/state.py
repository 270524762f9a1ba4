"""What a device remembers of a repository: the newest metadata that it has seen, and the manifests.

python-tuf keeps it as files in a folder; stored, it is one record, written in one commit, so that
it is always that of one moment.

A record that can't be read counts as none: the device starts again from the root in the page. It
loses the memory of the versions that it has seen, and nothing else (docs/decisions/0013).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from satchel.platform import Record

__all__ = ["MANIFESTS", "State"]

SCHEMA = 1

_KEPT = re.compile(
    r"(?:timestamp|snapshot|targets)\.json"
    r"|root_history/[1-9][0-9]*\.root\.json"
    r"|manifests/[^/]+\.json"
)
"""Files of python-tuf's folder. Its `root.json` is a link to one of the others."""

MANIFESTS = "manifests"
"""The folder in it where the targets are kept."""


@dataclass(frozen=True)
class State:
    """All of it. Nothing in it is trusted for being here: python-tuf verifies it each time.

    Attributes:
        files: Metadata and manifests by their names in python-tuf's folder.
    """

    files: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def parse(cls, record: Record | None) -> State:
        """Read a record; what isn't whole in it is as good as not there."""
        files = record.get("files") if record and record.get("schema") == SCHEMA else None
        if not isinstance(files, dict):
            return cls()
        return cls(
            {
                name: text.encode("utf-8", "replace")
                for name, text in files.items()
                if _KEPT.fullmatch(name) and isinstance(text, str)
            }
        )

    def record(self) -> Record:
        """As it is stored. Metadata and manifests are JSON, and so are text.

        A signed file that is none would come back as another one, and be fetched again.
        """
        files = {name: data.decode("utf-8", "replace") for name, data in sorted(self.files.items())}
        return {"schema": SCHEMA, "files": files}

    @classmethod
    def read(cls, folder: Path) -> State:
        """Take what python-tuf has left in its folder."""
        paths = (path for path in sorted(folder.rglob("*.json")) if path.is_file())
        names = {path.relative_to(folder).as_posix(): path for path in paths}
        return cls({name: names[name].read_bytes() for name in names if _KEPT.fullmatch(name)})

    def write(self, folder: Path) -> None:
        """Put everything where python-tuf looks for it."""
        for name in ("root_history", MANIFESTS):
            (folder / name).mkdir()
        for name, data in self.files.items():
            (folder / name).write_bytes(data)

    def newest_root(self) -> bytes | None:
        """The root metadata with the highest version."""
        roots = [name for name in self.files if name.startswith("root_history/")]
        newest = max(roots, key=lambda name: int(re.sub(r"\D", "", name)), default=None)
        return None if newest is None else self.files[newest]
