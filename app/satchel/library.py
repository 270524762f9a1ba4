"""The models stored on this device: install, open, pin, roll back, delete.

Records are in the table "models" by model id; blobs are named by their SHA-256 and shared. At
every instant a model has exactly one complete active version: whatever changes does so in one
commit of the platform's store, under the lock "library"; a download holds only its own model's
lock, so that two tabs never fetch the same thing and nobody waits for a slow network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, MutableSequence, Sequence
from dataclasses import dataclass, replace

from satchel import platform as platforms
from satchel.errors import IntegrityError, LibraryError, ModelNotFoundError, UnsupportedModelError
from satchel.installed import InstalledModel, InstalledVersion, unreferenced
from satchel.manifest import Manifest, Reference, Release, SessionSettings, Variant
from satchel.platform import (
    Blob,
    Change,
    DeleteBlob,
    DeleteRecord,
    Platform,
    PutBlob,
    PutRecord,
    SessionOptions,
)
from satchel.runtime import EdgeRuntime
from satchel.schema import migrated
from satchel.transfer import Progress, fetch_blob
from satchel.versions import Version

__all__ = ["Library", "Usage", "delete", "list", "open", "pin", "rollback", "usage"]

READ = 1024 * 1024
"""Bytes of a blob that are hashed at a time."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What is stored, in bytes.

    Attributes:
        models: Bytes by model id; what two models share counts for both.
        used: All that this site stores, by the platform's count; None where it does not say.
        quota: What it may store.
        persisted: Whether the platform promised to keep it.
    """

    models: Mapping[str, int]
    used: int | None
    quota: int | None
    persisted: bool | None


class Library:
    """The models stored on this device.

    Args:
        platform: Whose store it is; default: this one's.
    """

    def __init__(self, platform: Platform | None = None) -> None:
        self._platform = platform or platforms.current()

    async def list(self) -> tuple[InstalledModel, ...]:
        """All installed models, by id."""
        await self._migrate()
        records = await self._platform.store.records("models")
        return tuple(InstalledModel.parse(records[key]) for key in sorted(records))

    async def find(self, model_id: str) -> InstalledModel | None:
        """One installed model, or None."""
        await self._migrate()
        record = await self._platform.store.record("models", model_id)
        return None if record is None else InstalledModel.parse(record)

    async def installed(self, model_id: str) -> InstalledModel:
        """One installed model.

        Raises:
            ModelNotFoundError: It is not installed.
        """
        model = await self.find(model_id)
        if model is None:
            raise ModelNotFoundError(
                f"'{model_id}' is not on this device", todo="Install it first, while online"
            )
        return model

    async def open(
        self,
        model: str | InstalledModel,
        *,
        threads: int | None = None,
        variant: str | None = None,
    ) -> EdgeRuntime:
        """The active version of a model, not yet loaded into the engine.

        Args:
            model: Its id, or what `installed` gave for it.
            threads: As `EdgeRuntime` takes it.
            variant: Insist on this variant.

        Raises:
            ModelNotFoundError: It is not installed.
            IntegrityError: Its file is not there any more, or not whole.
        """
        found = await self.installed(model) if isinstance(model, str) else model
        chosen = found.current.variant
        if variant is not None and chosen.name != variant:
            raise ModelNotFoundError(
                f"'{found.model}' {found.active} is installed as '{chosen.name}', not as"
                f" '{variant}'"
            )
        return EdgeRuntime(
            await self._blob(chosen.blob, found.model),
            name=f"{found.model} {found.active}",
            engine=chosen.engine,
            options=SessionOptions(
                chosen.session.graph_optimization_level, chosen.session.config, threads
            ),
            platform=self._platform,
        )

    async def file(self, model: str | InstalledModel, name: str) -> bytes:
        """A file that belongs to the active version, such as its labels.

        Args:
            model: Its id, or what `installed` gave for it.
            name: What the manifest calls it.

        Raises:
            ModelNotFoundError: No such model, or it has no such file.
        """
        found = await self.installed(model) if isinstance(model, str) else model
        files = found.current.variant.files
        if name not in files:
            raise ModelNotFoundError(f"'{found.model}' has no file '{name}'")
        return await (await self._blob(files[name], found.model)).read()

    async def install(
        self,
        manifest: Manifest,
        locate: Callable[[Reference], str],
        *,
        version: str | None = None,
        variant: str | None = None,
        progress: Progress | None = None,
    ) -> InstalledModel:
        """Download a release and make it the active one. Does nothing when it already is.

        Args:
            manifest: The model's.
            locate: Gives the URL of a blob.
            version: Which release; default: the newest.
            variant: Which variant; default: the first one whose engine is here.
            progress: Told (bytes received, bytes in all).

        Raises:
            TransferError: The download failed or is not what the manifest promised.
            StorageFullError: The device has no room; nothing was changed.
            UnsupportedModelError: No variant runs here.
        """
        release = manifest.release(version)
        chosen = self._choose(manifest, release, variant)
        new = InstalledVersion(release, chosen.name, self._platform.name, "")
        async with self._platform.locks.hold(f"install:{manifest.model}"):
            old = await self.find(manifest.model)
            if old is not None and old.active == release.version:
                return old
            puts = await self._download(chosen, locate, progress)
            installed = InstalledModel(
                manifest.model,
                manifest.task,
                manifest.title,
                release.version,
                {release.version: replace(new, installed_at=self._platform.clock.now())},
            )
            return await self._activate(installed, puts)

    async def add(
        self,
        model_id: str,
        blob: Blob,
        *,
        version: str,
        engine: str,
        options: SessionOptions,
    ) -> InstalledModel:
        """Store a model that came from elsewhere, and make it the active version of its name."""
        reference = Reference(await _sha256(blob), blob.size)
        settings = SessionSettings(options.graph_optimization_level, options.config)
        variant = Variant("original", engine, reference, session=settings)
        release = Release(Version.parse(version), "", "unknown", {self._platform.name: (variant,)})
        new = InstalledVersion(
            release, variant.name, self._platform.name, self._platform.clock.now()
        )
        installed = InstalledModel(model_id, "", model_id, release.version, {release.version: new})
        async with self._platform.locks.hold(f"install:{model_id}"):
            return await self._activate(installed, [PutBlob(reference.sha256, blob)])

    async def rollback(self, model_id: str) -> InstalledModel:
        """Make the previous version the active one again.

        Raises:
            LibraryError: There is no previous version, or the model is pinned.
        """

        def back(model: InstalledModel) -> InstalledModel:
            if model.previous is None:
                raise LibraryError(f"'{model_id}' has no previous version on this device")
            return replace(model, active=model.previous, previous=model.active)

        return await self._change(model_id, back)

    async def pin(self, model_id: str, version: str | None = None) -> InstalledModel:
        """Keep a model at an installed version, or, with None, let it follow updates again.

        Raises:
            ModelNotFoundError: That version is not installed.
        """

        def pinned(model: InstalledModel) -> InstalledModel:
            if version is None:
                return replace(model, pinned=None)
            wanted = Version.parse(version)
            if wanted not in model.versions:
                raise ModelNotFoundError(f"'{model_id}' {version} is not on this device")
            previous = model.active if model.active != wanted else model.previous
            return replace(model, active=wanted, previous=previous, pinned=wanted)

        return await self._change(model_id, pinned)

    async def delete(self, model_id: str) -> None:
        """Remove a model and every blob that no other model needs. Nothing if it is not there."""
        async with self._platform.locks.hold("library"):
            others = [model for model in await self.list() if model.model != model_id]
            await self._commit([DeleteRecord("models", model_id)], others)

    async def usage(self) -> Usage:
        """What is stored and how much room is left."""
        sizes = {model.model: model.size for model in await self.list()}
        space = await self._platform.store.space()
        return Usage(sizes, space.used, space.quota, space.persisted)

    def _choose(self, manifest: Manifest, release: Release, name: str | None) -> Variant:
        for variant in release.variants(self._platform.name):
            if variant.engine in self._platform.engines and name in (None, variant.name):
                return variant
        raise UnsupportedModelError(
            f"'{manifest.model}' {release.version} has no variant"
            f"{f' {name!r}' if name else ''} that runs here",
            todo=f"Publish one for an engine of this platform: {', '.join(self._platform.engines)}",
        )

    async def _download(
        self, variant: Variant, locate: Callable[[Reference], str], progress: Progress | None
    ) -> Sequence[Change]:
        here = await self._platform.store.blobs()
        missing = [item for item in variant.references() if here.get(item.sha256) != item.size]
        total, done = sum(item.size for item in missing), 0
        puts: MutableSequence[Change] = []
        for item in missing:

            def report(received: int, _: int, before: int = done) -> None:
                if progress is not None:
                    progress(before + received, total)

            blob = await fetch_blob(self._platform, locate(item), item, report)
            puts.append(PutBlob(item.sha256, blob))
            done += item.size
        return puts

    async def _activate(self, new: InstalledModel, puts: Sequence[Change]) -> InstalledModel:
        async with self._platform.locks.hold("library"):
            models = {model.model: model for model in await self.list()}
            old = models.get(new.model)
            installed = new if old is None else old.followed_by(new)
            models[new.model] = installed
            record = PutRecord("models", new.model, installed.record())
            await self._commit([*puts, record], models.values())
            return installed

    async def _change(
        self, model_id: str, change: Callable[[InstalledModel], InstalledModel]
    ) -> InstalledModel:
        async with self._platform.locks.hold("library"):
            changed = change(await self.installed(model_id))
            await self._platform.store.commit([PutRecord("models", model_id, changed.record())])
            return changed

    async def _commit(self, changes: Sequence[Change], models: Iterable[InstalledModel]) -> None:
        stored = await self._platform.store.blobs()
        written = {change.digest for change in changes if isinstance(change, PutBlob)}
        stale = unreferenced(stored.keys() - written, models)
        deletions = [DeleteBlob(digest) for digest in sorted(stale)]
        await self._platform.store.commit([*changes, *deletions])

    async def _blob(self, wanted: Reference, model_id: str) -> Blob:
        blob = await self._platform.store.blob(wanted.sha256)
        if blob is None or blob.size != wanted.size:
            raise IntegrityError(
                f"A file of '{model_id}' is {'missing' if blob is None else 'damaged'} on this"
                " device",
                todo="Delete the model and install it again, while online",
            )
        return blob

    async def _migrate(self) -> None:
        await migrated(self._platform)


async def _sha256(blob: Blob) -> str:
    digest = hashlib.sha256()
    for start in range(0, blob.size, READ):
        digest.update(await blob.read(start, min(start + READ, blob.size)))
    return digest.hexdigest()


# The default library's methods as functions: `satchel.library.open("my-model")`.


async def list() -> tuple[InstalledModel, ...]:
    """All models installed on this device, by id."""
    return await Library().list()


async def open(
    model_id: str, *, threads: int | None = None, variant: str | None = None
) -> EdgeRuntime:
    """The active version of an installed model; see `Library.open`."""
    return await Library().open(model_id, threads=threads, variant=variant)


async def usage() -> Usage:
    """What is stored and how much room is left."""
    return await Library().usage()


async def pin(model_id: str, version: str | None = None) -> InstalledModel:
    """Keep a model at a version, or let it follow updates again; see `Library.pin`."""
    return await Library().pin(model_id, version)


async def rollback(model_id: str) -> InstalledModel:
    """Make the previous version the active one again; see `Library.rollback`."""
    return await Library().rollback(model_id)


async def delete(model_id: str) -> None:
    """Remove a model from this device; see `Library.delete`."""
    await Library().delete(model_id)
