"""The four roles' metadata in a folder, by python-tuf's own repository class."""

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from tuf.api.exceptions import RepositoryError, UnsignedMetadataError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer
from tuf.repository import Repository

from builder.errors import BuildError
from builder.release import expiry
from builder.release.keys import KeyFolders

TIMESTAMP = "timestamp.json"

_FIRST: dict[str, type[Root] | type[Targets] | type[Snapshot] | type[Timestamp]] = {
    "root": Root,
    "targets": Targets,
    "snapshot": Snapshot,
    "timestamp": Timestamp,
}


def read(path: Path) -> Metadata[Any]:
    """Read a metadata file.

    Raises:
        BuildError: It is none.
    """
    try:
        return Metadata.from_bytes(path.read_bytes())
    except FileNotFoundError as error:
        raise BuildError(f"{path} isn't there: the repository is not whole.") from error
    except RepositoryError as error:
        raise BuildError(f"{path} is no metadata of a repository: {error}") from error


def newest_root(folder: Path) -> Path | None:
    """Return the root metadata with the highest version in a folder."""
    versions = [
        int(found.group(1))
        for path in folder.glob("*.root.json")
        if (found := re.fullmatch(r"(\d+)\.root\.json", path.name))
    ]
    return folder / f"{max(versions)}.root.json" if versions else None


class Roles(Repository):
    """Metadata that is read from one folder and, where it changes, written to another.

    Which version counts is what timestamp and snapshot say, never what happens to lie there: an
    interrupted change may have left files behind.
    """

    def __init__(self, folder: Path, out: Path, keys: KeyFolders, at: datetime) -> None:
        """Open a folder.

        Args:
            folder: What is there; needs not exist.
            out: Where changed metadata goes.
            keys: To sign with.
            at: The time of signing.
        """
        self.folder, self.out, self.keys, self.at = folder, out, keys, at
        self._now: dict[str, Metadata[Any]] = {}
        self._before: Root | None = None

    def open(self, role: str) -> Metadata[Any]:
        """Return a role's metadata as it is now; that of a new repository is still unsigned."""
        if role not in self._now:
            path = self._path(role)
            self._now[role] = read(path) if path else self._first(role)
            if role == "root" and path:
                self._before = read(path).signed
        return self._now[role]

    def close(self, role: str, md: Metadata[Any]) -> None:
        """Sign a role's metadata as its next version, and write it."""
        md.signed.version += 1
        md.signed.expires = self.at + expiry.LIFETIME[role]
        md.signatures.clear()
        # A new root must convince those who trust the old one, too.
        roots = [self._before, md.signed] if role == "root" else [self.root()]
        for root in roots:
            for signer in self.keys.signers(role, root) if root else ():
                md.sign(signer, append=True)
        for root in roots:
            self._check(role, md, root)
        name = TIMESTAMP if role == "timestamp" else f"{md.signed.version}.{role}.json"
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / name).write_bytes(md.to_bytes(JSONSerializer(compact=True)))
        self._now[role] = md

    @property
    def targets_infos(self) -> dict[str, MetaFile]:
        """The targets metadata as snapshot lists it."""
        return {"targets.json": self._info("targets")}

    @property
    def snapshot_info(self) -> MetaFile:
        """The snapshot metadata as timestamp lists it."""
        return self._info("snapshot")

    def everything(self, roles: Iterable[str] = tuple(_FIRST)) -> dict[str, Metadata[Any]]:
        """Return metadata by role."""
        return {role: self.open(role) for role in roles}

    def _first(self, role: str) -> Metadata[Any]:
        signed = _FIRST[role]()
        if isinstance(signed, Timestamp):
            signed.snapshot_meta = self.snapshot_info
        signed.version = 0  # `close` counts on
        return Metadata(signed)

    def _info(self, role: str) -> MetaFile:
        md = self.open(role)
        name = f"{md.signed.version}.{role}.json"
        path = self.out / name if (self.out / name).is_file() else self.folder / name
        # With length and hash, so that a client knows both before it downloads.
        return MetaFile.from_data(md.signed.version, path.read_bytes(), ["sha256"])

    def _path(self, role: str) -> Path | None:
        if role == "root":
            return newest_root(self.folder)
        timestamp = self.folder / TIMESTAMP
        if role == "timestamp" or not timestamp.is_file():
            return timestamp if timestamp.is_file() else None
        version = self.timestamp().snapshot_meta.version
        if role == "targets":
            version = self.snapshot().meta["targets.json"].version
        return self.folder / f"{version}.{role}.json"

    @staticmethod
    def _check(role: str, md: Metadata[Any], root: Root | None) -> None:
        if root is None:
            return
        try:
            root.verify_delegate(role, md.signed_bytes, md.signatures)
        except UnsignedMetadataError as error:
            raise BuildError(f"{role} could not be signed as its root asks: {error}") from error
