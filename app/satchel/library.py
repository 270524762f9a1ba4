"""The models stored on this device: open, go back, pin, delete.

Records are in the table "models" by model id; blobs are named by their SHA-256 and shared. At
every instant a model has exactly one complete active version: whatever changes does so in one
commit of the platform's store, under the lock "library". How a version gets here is told in
`satchel.installer`.
"""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from satchel import changes, history, unfit
from satchel import platform as platforms
from satchel.digests import sha256, verified
from satchel.errors import (
    IntegrityError,
    LibraryError,
    ModelNotFoundError,
    SatchelError,
)
from satchel.history import Entry
from satchel.installed import InstalledModel, InstalledVersion, unreferenced
from satchel.manifest import Manifest, Reference, Release, SessionSettings, Variant
from satchel.platform import (
    Blob,
    Change,
    DeleteBlob,
    DeleteParts,
    DeleteRecord,
    Platform,
    PutBlob,
    PutRecord,
    SessionOptions,
)
from satchel.runtime import EdgeRuntime, Guard
from satchel.schema import migrated
from satchel.trial import Trial
from satchel.variants import ListedVariant, against, best, failure
from satchel.versions import Version

if TYPE_CHECKING:
    from satchel.room import Eviction

__all__ = [
    "Library",
    "ListedVariant",
    "Usage",
    "delete",
    "list",
    "open",
    "pin",
    "rollback",
    "usage",
    "variants",
]


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
        changed: Called with a model's id after each change of what is stored of it.
    """

    def __init__(
        self, platform: Platform | None = None, changed: Callable[[str], None] | None = None
    ) -> None:
        self._platform = platform or platforms.current()
        self._changed = changed or (lambda _: None)

    async def list(self) -> tuple[InstalledModel, ...]:
        """All installed models, by id."""
        await migrated(self._platform)
        records = await self._platform.store.records("models")
        return tuple(InstalledModel.parse(records[key]) for key in sorted(records))

    async def find(self, model_id: str) -> InstalledModel | None:
        """One installed model, or None."""
        await migrated(self._platform)
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

    async def usable(self, model_id: str) -> InstalledModel:
        """One installed model at a version that may be used, in a variant that can be used here.

        The version before, if it must be; the best of its variants that are here. Both are
        remembered, and noted in the history.

        Raises:
            ModelNotFoundError: It is not installed.
            WithdrawnError: No version that is here may be used any more.
            VariantMissingError: This device can only use a variant that is not here.
        """
        model, lasting = await asyncio.gather(
            self.installed(model_id), unfit.lasting(self._platform)
        )
        if model.withdrawn(model.active):
            model = await self.change(
                model_id, changes.left, "withdrawn", "{before} was withdrawn."
            )
        if changes.settled(model, lasting) != model:
            model = await self.change(
                model_id, lambda model: changes.settled(model, lasting), "switched", "{reason}"
            )
        today = unfit.today(self._platform, lasting)
        return model if today == lasting else changes.settled(model, today)

    async def variants(self, model_id: str) -> tuple[ListedVariant, ...]:
        """All variants of the active version, best first: what there is to choose from.

        Raises:
            ModelNotFoundError: The model is not installed.
        """
        model, abilities = await asyncio.gather(
            self.installed(model_id), unfit.abilities(self._platform)
        )
        now = model.current
        return tuple(
            ListedVariant(
                variant,
                here=variant in now.here,
                in_use=variant.name == now.chosen,
                against=against(variant, abilities),
            )
            for variant in now.published
        )

    async def better(self, model_id: str) -> Variant | None:
        """The variant that this device would choose today and that is not here; None: none is.

        Raises:
            ModelNotFoundError: The model is not installed.
        """
        model, abilities = await asyncio.gather(
            self.installed(model_id), unfit.abilities(self._platform)
        )
        now = model.current
        choice = None if now.insisted else best(now.published, abilities)
        return None if choice is None or choice.variant in now.here else choice.variant

    async def prefer(self, model_id: str, name: str) -> InstalledModel:
        """Use a variant that is here from now on, whatever the device would choose.

        Raises:
            ModelNotFoundError: It is not here; `Installer.add_variant` gets it.
        """
        return await self.change(model_id, lambda model: changes.insisted(model, name))

    async def remove_variant(self, model_id: str, name: str) -> InstalledModel:
        """Remove a variant of the active version; what no other one needs of it goes.

        Raises:
            ModelNotFoundError: It is not here.
            LibraryError: It is the one in use.
        """
        return await self.change(model_id, lambda model: changes.without_variant(model, name))

    async def open(
        self,
        model: str | InstalledModel,
        *,
        threads: int | None = None,
        variant: str | None = None,
    ) -> EdgeRuntime:
        """The active version of a model, not yet loaded into the engine.

        Args:
            model: Its id, or what `usable` gave for it.
            threads: As `EdgeRuntime` takes it.
            variant: This one of the variants that are here; default: the one in use.

        Raises:
            ModelNotFoundError: It is not installed, or not in that variant.
            WithdrawnError: No version that is here may be used any more.
            VariantMissingError: This device can only use a variant that is not here.
            IntegrityError: Its file is not there any more, or not whole.
        """
        found = await self.usable(model) if isinstance(model, str) else model
        chosen = found.current.named(variant or found.current.chosen)
        if chosen not in found.current.here:
            here = ", ".join(f"'{one.name}'" for one in found.current.here)
            raise ModelNotFoundError(
                f"'{found.model}' {found.active} is installed as {here}, not as '{variant}'"
            )
        blob = await self._blob(chosen.blob, found.model)
        return EdgeRuntime(
            blob,
            name=f"{found.model} {found.active}",
            engine=chosen.engine,
            options=SessionOptions(
                chosen.session.graph_optimization_level, chosen.session.config, threads
            ),
            variant=chosen.name,
            watch=Trial(
                f"{found.title} {found.active}",
                new=found.probation is not None,
                report=lambda runs, wrong: self.count(found.model, found.active, runs, wrong),
                intact=lambda: verified(blob, chosen.blob),
                blame=lambda error: self.blame(found.current.published, chosen, error),
            ),
            lease=self._platform.locks.share(f"use:{found.model}"),
            guard=self._guard(chosen, found.current.published),
            platform=self._platform,
        )

    def _guard(self, variant: Variant, published: Sequence[Variant]) -> Guard | None:
        """What a variant is loaded in; None: there is nothing to be afraid of."""
        if not unfit.heavy(variant, self._platform.memory_gib):
            return None
        return lambda: unfit.marked(self._platform, variant, published)

    async def file(
        self, model: str | InstalledModel, name: str, *, variant: str | None = None
    ) -> bytes:
        """A file that belongs to the active version, such as its labels.

        Args:
            model: Its id, or what `usable` gave for it.
            name: What the manifest calls it.
            variant: Of this variant; default: of the one in use.

        Raises:
            ModelNotFoundError: No such model, or it has no such file.
            IntegrityError: The file is not there any more, or not whole.
        """
        found = await self.usable(model) if isinstance(model, str) else model
        files = found.current.named(variant or found.current.chosen).files
        if name not in files:
            raise ModelNotFoundError(f"'{found.model}' has no file '{name}'")
        return await (await self._blob(files[name], found.model)).read()

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
        reference = Reference(await sha256(blob), blob.size)
        settings = SessionSettings(options.graph_optimization_level, options.config)
        variant = Variant("original", engine, reference, session=settings)
        release = Release(Version.parse(version), "", "unknown", {self._platform.name: (variant,)})
        new = InstalledVersion(
            release, variant.name, self._platform.name, self._platform.clock.now()
        )
        installed = InstalledModel(model_id, "", model_id, release.version, {release.version: new})
        async with self._platform.locks.hold(f"install:{model_id}"):
            return await self.activate(installed, [PutBlob(reference.sha256, blob)])

    async def activate(
        self, new: InstalledModel, puts: Sequence[Change], *, keep_previous: bool = True
    ) -> InstalledModel:
        """Make a version the active one, with the blobs that it brings; in one commit.

        Args:
            new: The model with that version alone.
            puts: What puts its blobs in place.
            keep_previous: Whether the version before stays, to go back to.

        Raises:
            LibraryError: The model is pinned to another version, or the version was withdrawn.
            StorageFullError: The device has no room; nothing was changed.
        """
        async with self._platform.locks.hold("library"):
            models = {model.model: model for model in await self.list()}
            old = models.get(new.model)
            if old is not None and old.pinned not in (None, new.active):
                raise LibraryError(
                    f"{old.title} is to stay at {old.pinned}",
                    todo="Let it follow updates again first",
                )
            installed = new if old is None else old.followed_by(new)
            if not keep_previous:
                installed = installed.without_previous()
            models[new.model] = installed
            outcome = "installed" if old is None else "updated"
            gone = old.versions.keys() - installed.versions.keys() if old else ()
            await self._commit(
                [
                    *_unfinished(old.versions[version] for version in gone if old),
                    *puts,
                    PutRecord("models", new.model, installed.record()),
                    await history.added(
                        self._platform.store, self._entry(old, installed, outcome, "")
                    ),
                ],
                models.values(),
            )
        self._changed(new.model)
        return installed

    async def blame(
        self, published: Sequence[Variant], variant: Variant, error: SatchelError
    ) -> bool:
        """Remember that this device can't use a variant, if it can use another one.

        Args:
            published: All variants of its release.
            variant: The one that failed.
            error: How.

        Returns:
            Whether there is another one.
        """
        known = await unfit.abilities(self._platform)
        what, why = failure(variant, error, known.place)
        left = replace(known, unfit={**known.unfit, what: why})
        if all(against(other, left) for other in published):
            return False
        await unfit.remembered(self._platform, variant, error)
        return True

    async def inform(self, manifest: Manifest) -> InstalledModel | None:
        """Remember what a newer manifest says may be used; offline it must be known too."""
        found = await self.find(manifest.model)
        if found is None or found.informed(manifest) == found:
            return found
        return await self.change(manifest.model, lambda model: model.informed(manifest))

    async def count(self, model_id: str, version: Version, runs: int, wrong: str | None) -> bool:
        """Count runs of a version on probation; go back when it failed too often.

        Args:
            model_id: The model's id.
            version: The version that ran.
            runs: How many more.
            wrong: What was wrong with the last of them; None: nothing.

        Returns:
            Whether it is still on probation.
        """
        if await self.find(model_id) is None:
            return False
        after = await self.change(
            model_id,
            lambda model: changes.counted(model, version, runs, wrong),
            "rolled back",
            f"{version} failed too often: {wrong}",
        )
        return after.active == version and after.probation is not None

    async def rollback(self, model_id: str) -> InstalledModel:
        """Make the previous version the active one again; the one so far is not offered again.

        Raises:
            LibraryError: There is no previous version.
            WithdrawnError: The previous version was withdrawn.
        """
        return await self.change(
            model_id, changes.rolled_back, "rolled back", "You went back to {after}."
        )

    async def fall_back(self, model_id: str, why: str) -> InstalledModel:
        """Leave a version whose files are damaged and cannot be had; it may come again.

        Raises:
            LibraryError: There is no previous version that may be used.
        """
        return await self.change(model_id, changes.fallen_back, "rolled back", why)

    async def pin(self, model_id: str, version: str | None = None) -> InstalledModel:
        """Keep a model at an installed version, or, with None, let it follow updates again.

        Raises:
            ModelNotFoundError: That version is not installed.
            WithdrawnError: That version was withdrawn.
        """
        if version is None:
            return await self.change(model_id, changes.unpinned)
        wanted = Version.parse(version)
        return await self.change(
            model_id,
            lambda model: changes.pinned(model, wanted),
            "rolled back",
            "You chose to stay at {after}.",
        )

    async def set_aside(self, model_id: str, version: Version, why: str) -> InstalledModel:
        """Do not offer a version again, and note the failure."""
        return await self.change(
            model_id,
            lambda model: changes.set_aside(model, version, why),
            "failed",
            f"{version}: {why}",
        )

    async def offer_again(self, model_id: str, version: str) -> InstalledModel:
        """Let a version that was set aside be offered again."""
        wanted = Version.parse(version)
        return await self.change(model_id, lambda model: changes.offered_again(model, wanted))

    async def opened(self, model_id: str) -> None:
        """Remember the day on which a model was used: what was not used for longest goes first."""
        today = self._platform.clock.now()[:10]
        found = await self.find(model_id)
        if found is not None and found.used_at != today:
            await self.change(model_id, lambda model: replace(model, used_at=today))

    async def delete(self, model_id: str) -> None:
        """Remove a model and every blob that no other model needs. Nothing if it is not there."""
        from satchel.room import Eviction

        await self.evict([Eviction(model_id, "all")], "You removed it.")

    async def evict(self, evictions: Sequence[Eviction], why: str) -> None:
        """Remove models, or what they keep to go back to; in one commit.

        Args:
            evictions: What is to go.
            why: A sentence for the history.
        """
        from satchel.room import without

        async with self._platform.locks.hold("library"):
            models = {model.model: model for model in await self.list()}
            done: builtins.list[Change] = []
            entries: builtins.list[Entry] = []
            for eviction in evictions:
                old = models.get(eviction.model)
                if old is None:
                    continue
                if eviction.part == "all":
                    del models[eviction.model]
                    done.extend(_unfinished(old.versions.values()))
                    done.append(DeleteRecord("models", eviction.model))
                    entries.append(self._entry(old, None, "removed", why))
                else:
                    models[old.model] = without(old, eviction)
                    done.append(PutRecord("models", old.model, models[old.model].record()))
            if entries:
                done.append(await history.added(self._platform.store, *entries))
            await self._commit(done, models.values())
        for eviction in evictions:
            self._changed(eviction.model)

    async def usage(self) -> Usage:
        """What is stored and how much room is left."""
        sizes = {model.model: model.size for model in await self.list()}
        space = await self._platform.store.space()
        return Usage(sizes, space.used, space.quota, space.persisted)

    async def note(self, model: InstalledModel, outcome: str, text: str) -> None:
        """Add to the history what changed no version."""
        entry = self._entry(model, model, outcome, text)
        async with self._platform.locks.hold("library"):
            await self._platform.store.commit([await history.added(self._platform.store, entry)])
        self._changed(model.model)

    async def forget_history(self) -> None:
        """Forget what happened to the models."""
        async with self._platform.locks.hold("library"):
            await self._platform.store.commit([history.cleared()])

    async def change(
        self,
        model_id: str,
        change: Callable[[InstalledModel], InstalledModel],
        outcome: str = "",
        text: str = "",
        puts: Sequence[Change] = (),
    ) -> InstalledModel:
        """Change a model's record.

        Args:
            model_id: Its id.
            change: Gives what it becomes.
            outcome: For the history, with `text`, where the active version or its variant changes;
                "failed" is noted in any case.
            text: See `satchel.history.entry`.
            puts: What else belongs to that change.
        """
        async with self._platform.locks.hold("library"):
            models = {model.model: model for model in await self.list()}
            old = models.get(model_id)
            if old is None:
                old = await self.installed(model_id)  # says what to do
            new = change(old)
            if new == old:
                return old
            models[model_id] = new
            done: builtins.list[Change] = [*puts, PutRecord("models", model_id, new.record())]
            moved = (new.active, new.current.chosen) != (old.active, old.current.chosen)
            if outcome == "failed" or (outcome and moved):
                entry = self._entry(old, new, outcome, text)
                done.append(await history.added(self._platform.store, entry))
            await self._commit(done, models.values())
        self._changed(model_id)
        return new

    def _entry(
        self, old: InstalledModel | None, new: InstalledModel | None, outcome: str, text: str
    ) -> Entry:
        return history.entry(self._platform.clock.now(), old, new, outcome, text)

    async def _commit(self, wanted: Sequence[Change], models: Iterable[InstalledModel]) -> None:
        stored = await self._platform.store.blobs()
        written = {change.digest for change in wanted if isinstance(change, PutBlob)}
        stale = unreferenced(stored.keys() - written, models)
        deletions = [DeleteBlob(digest) for digest in sorted(stale)]
        await self._platform.store.commit([*wanted, *deletions])

    async def _blob(self, wanted: Reference, model_id: str) -> Blob:
        blob = await self._platform.store.blob(wanted.sha256)
        if blob is None or blob.size != wanted.size:
            raise IntegrityError(
                f"A file of '{model_id}' is {'missing' if blob is None else 'damaged'} on this"
                " device",
                todo="Delete the model and install it again, while online",
            )
        return blob


def _unfinished(gone: Iterable[InstalledVersion]) -> Iterator[Change]:
    """What drops variants of versions that go, where their download was interrupted."""
    for version in gone:
        for variant in version.published:
            for item in (*variant.references(), variant.chunks, variant.golden):
                if item is not None:
                    yield DeleteParts(item.sha256)


# The default library's methods as functions: `satchel.library.open("my-model")`.


async def list() -> tuple[InstalledModel, ...]:
    """All models installed on this device, by id."""
    return await Library().list()


async def open(
    model_id: str, *, threads: int | None = None, variant: str | None = None
) -> EdgeRuntime:
    """The active version of an installed model; see `Library.open`."""
    return await Library().open(model_id, threads=threads, variant=variant)


async def variants(model_id: str) -> tuple[ListedVariant, ...]:
    """All variants of an installed model's active version; see `Library.variants`."""
    return await Library().variants(model_id)


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
