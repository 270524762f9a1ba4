"""A change of a repository: made beside it, verified by python-tuf's own client, then moved in.

Every file but `timestamp.json` has a name that is used once, and counts only when the timestamp
leads to it. So moving blobs first and the timestamp last leaves the old state or the new one,
whenever it is interrupted.
"""

import hashlib
import shutil
import signal
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from filelock import FileLock
from tuf.api.metadata import Root, TargetFile

from builder.errors import BuildError
from builder.files import sha256, short
from builder.paths import CACHE
from builder.release import expiry, layout, tidy, upload, verify
from builder.release.keys import KeyFolders
from builder.release.roles import Roles
from satchel.manifest import Manifest


@dataclass
class Stage:
    """What is to change; see `changing`."""

    repository: Path
    work: Path
    roles: Roles
    manifests: dict[str, Manifest] = field(default_factory=dict)

    @property
    def root(self) -> Root:
        """The repository's root, to be changed before it is signed."""
        root: Root = self.roles.root()
        return root

    def current(self, model: str) -> Manifest | None:
        """Return a model's manifest as it is; None: the repository doesn't know the model.

        Raises:
            BuildError: It isn't the one that was signed.
        """
        if model in self.manifests:
            return self.manifests[model]
        info = self.roles.targets().targets.get(layout.target(model))
        if info is None:
            return None
        name = layout.manifest_name(model, info.hashes["sha256"])
        path = self.repository / layout.MANIFESTS / name
        if not path.is_file() or sha256(path) != info.hashes["sha256"]:
            raise BuildError(f"{path} is missing or was changed. Bring the signed file back.")
        return Manifest.parse(path.read_bytes())

    def put(self, manifest: Manifest, blobs: Mapping[str, bytes]) -> None:
        """Make a manifest its model's current one, and add blobs by their SHA-256."""
        self.manifests[manifest.model] = manifest
        for digest, content in blobs.items():
            self._write(layout.blob(self.work, digest), content)

    def sign_root(self) -> None:
        """Sign the changed root; the other roles follow, since their keys may have changed."""
        with self.roles.edit_root():
            pass

    def finish(self, *, renew: bool) -> None:
        """Sign what changed, and what leads to it.

        Args:
            renew: Sign snapshot and timestamp anew even if nothing changed.
        """
        new = self.roles.folder / "timestamp.json"
        if self.manifests or not new.is_file():
            with self.roles.edit_targets() as targets:
                for model, manifest in self.manifests.items():
                    data = manifest.encode()
                    name = layout.target(model)
                    targets.targets[name] = TargetFile.from_data(name, data, ["sha256"])
                    digest = hashlib.sha256(data).hexdigest()
                    self._write(
                        self.work / layout.MANIFESTS / layout.manifest_name(model, digest), data
                    )
        self.roles.do_snapshot(force=renew)
        self.roles.do_timestamp(force=renew)

    def renew_targets(self) -> None:
        """Sign targets anew, unchanged: for longer, or with other keys."""
        with self.roles.edit_targets():
            pass

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@contextmanager
def changing(
    repository: Path,
    keys: KeyFolders,
    trusted: bytes | None,
    *,
    at: datetime | None = None,
    renew: bool = False,
) -> Iterator[Stage]:
    """Change a repository, all or nothing.

    Args:
        repository: The folder; needs not exist.
        keys: To sign with.
        trusted: Root metadata that the result must convince; None: its own first one.
        at: The time of signing; None: now.
        renew: Sign snapshot and timestamp anew even if nothing else changed.

    Raises:
        BuildError: A key is missing, or a device would refuse the result; nothing has changed.
    """
    with lock(repository):
        work = repository.with_name(f".{repository.name}-{uuid.uuid4().hex[:8]}")
        work.mkdir(parents=True)
        try:
            metadata = work / layout.METADATA
            roles = Roles(repository / layout.METADATA, metadata, keys, at or expiry.now())
            stage = Stage(repository, work, roles)
            yield stage
            stage.finish(renew=renew)
            verify.read([work, repository], trusted or first_root([work, repository]))
            tidy.supersede(repository, work, roles.at)
            with _uninterrupted():
                _move_in(work, repository)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def first_root(folders: list[Path]) -> bytes:
    """Return the bytes of a repository's first root metadata: what names it for good."""
    found = (folder / layout.METADATA / "1.root.json" for folder in folders)
    return next(path for path in found if path.is_file()).read_bytes()


def lock(repository: Path) -> FileLock:
    """Return the lock of whoever changes or copies a repository."""
    folder = CACHE / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    # One object for each path: who holds it may take it again.
    return FileLock(folder / f"{short(str(repository.resolve()))}.lock", is_singleton=True)


def _move_in(work: Path, repository: Path) -> None:
    names = upload.ordered(
        path.relative_to(work).as_posix() for path in work.rglob("*") if path.is_file()
    )
    for name in names:
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).replace(repository / name)
    upload.write(repository)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait for a few renames: between a new root and its timestamp nothing verifies."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: asked.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt
