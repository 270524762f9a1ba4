"""Which files of a repository nobody needs any more.

A page pins the manifest that was current when it was built, and may be opened, offline until then,
long after. So a manifest stays for `GRACE` after another took its place, and a blob stays until no
manifest that is there names it. Roots stay for ever: devices walk through them.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata

from builder.errors import BuildError
from builder.files import write_whole
from builder.release import layout, verify
from builder.release.roles import TIMESTAMP, read
from satchel.errors import ManifestError
from satchel.manifest import Manifest

GRACE = timedelta(days=180)


def supersede(repository: Path, work: Path, at: datetime) -> None:
    """Note in `work` since when manifests and metadata are no longer the current ones."""
    known = _known(repository)
    current = _current(work, repository)
    names = [
        path.relative_to(folder).as_posix()
        for folder in (repository, work)
        for path in _passing(folder)
    ]
    noted = {
        name: known.get(name, at.isoformat()) for name in sorted({*names}) if name not in current
    }
    text = json.dumps(noted, indent=1) + "\n"
    (work / layout.SUPERSEDED).write_text(text, "utf-8")


def unneeded(repository: Path, at: datetime, grace: timedelta = GRACE) -> list[Path]:
    """Return what may go.

    Args:
        repository: The folder.
        at: The time to judge by.
        grace: How long what is superseded stays.

    Raises:
        BuildError: A manifest that stays can't be read, so that nobody knows what it names.
    """
    superseded = {name: datetime.fromisoformat(when) for name, when in _known(repository).items()}
    gone = {
        name
        for name, when in superseded.items()
        if at - when >= grace and (repository / name).is_file()
    }
    needed = {
        digest
        for path in sorted((repository / layout.MANIFESTS).glob("*.json"))
        if path.relative_to(repository).as_posix() not in gone
        for digest in verify.references(_manifest(path))
    }
    blobs = [path for path in (repository / layout.BLOBS).glob("*") if path.name not in needed]
    return [*sorted(repository / name for name in gone), *sorted(blobs)]


def remove(repository: Path, at: datetime, grace: timedelta = GRACE) -> list[Path]:
    """Delete what may go and return it; see `unneeded`."""
    found = unneeded(repository, at, grace)
    for path in found:
        path.unlink()
    kept = {
        name: when for name, when in _known(repository).items() if (repository / name).is_file()
    }
    write_whole(repository / layout.SUPERSEDED, json.dumps(kept, indent=1) + "\n")
    return found


def _passing(folder: Path) -> Iterator[Path]:
    """Files that another version takes the place of."""
    yield from (folder / layout.MANIFESTS).glob("*.json")
    for role in ("snapshot", "targets"):
        yield from (folder / layout.METADATA).glob(f"*.{role}.json")


def _current(*folders: Path) -> set[str]:
    """Names of the files that the timestamp leads to."""

    def metadata(name: str) -> Metadata[Any]:
        found = (folder / layout.METADATA / name for folder in folders)
        return read(next((path for path in found if path.is_file()), Path(name)))

    snapshot = f"{metadata(TIMESTAMP).signed.snapshot_meta.version}.snapshot.json"
    targets = f"{metadata(snapshot).signed.meta['targets.json'].version}.targets.json"
    manifests = {
        f"{layout.MANIFESTS}/{info.hashes['sha256']}.{name}"
        for name, info in metadata(targets).signed.targets.items()
    }
    return {f"{layout.METADATA}/{snapshot}", f"{layout.METADATA}/{targets}", *manifests}


def _known(repository: Path) -> dict[str, str]:
    path = repository / layout.SUPERSEDED
    try:
        known: dict[str, str] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise BuildError(
            f"{path} is damaged; delete it, and the time of grace begins anew."
        ) from error
    return known


def _manifest(path: Path) -> Manifest:
    try:
        return Manifest.parse(path.read_bytes())
    except ManifestError as error:
        raise BuildError(f"{path} can't be read ({error}); nothing was deleted.") from error
