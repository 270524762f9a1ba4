"""How a release gets onto this device: planned, downloaded, verified, validated, activated.

Until it is activated nothing of it is where a model is looked for: what has come lies in parts,
each verified. Activating is one commit: the files in their places, the parts gone, the model's
record pointing at the new version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from satchel import chunks as indexes
from satchel import golden, offers
from satchel.digests import verified
from satchel.errors import IntegrityError, ManifestError, StorageFullError, ValidationError
from satchel.installed import InstalledModel, InstalledVersion, Probation
from satchel.library import Library
from satchel.manifest import Manifest, Reference, Variant
from satchel.offers import Offer
from satchel.plan import Plan, Source, plan
from satchel.platform import Blob, Change, DeleteParts, Platform, PutBlob, PutPart
from satchel.room import evictions
from satchel.transfer import Progress, assemble, checked, download, fetch_blob
from satchel.validation import KEPT, limit, validate

__all__ = ["Installer", "Need"]

Locate = Callable[[Reference], str]
"""Gives the URL of a blob."""


@dataclass(frozen=True, slots=True)
class Need:
    """What an offer still needs on this device.

    Attributes:
        offer: The offer.
        index: The model file's chunk index; None: it has none.
        plans: How each file that is not here comes: the model itself last.
    """

    offer: Offer
    index: Blob | None
    plans: tuple[Plan, ...]

    @property
    def download_size(self) -> int:
        """Bytes to fetch."""
        return sum(plan.download_size for plan in self.plans)

    @property
    def room(self) -> int:
        """Bytes of storage that must be free: for parts on their way, then for whole files."""
        return self.download_size + sum(plan.wanted.size for plan in self.plans)


class Installer:
    """Brings releases onto this device.

    Args:
        library: Where to.
        platform: Its platform.
        locate: Gives the URL of a blob.
    """

    def __init__(self, library: Library, platform: Platform, locate: Locate) -> None:
        self._library = library
        self._platform = platform
        self._locate = locate
        self._distrust: dict[str, frozenset[str]] = {}  # chunks here that led to a wrong blob

    async def install(
        self,
        manifest: Manifest,
        *,
        version: str | None = None,
        variant: str | None = None,
        progress: Progress | None = None,
    ) -> InstalledModel:
        """Bring a release here and make it the active one. Does nothing when it already is.

        Args:
            manifest: The model's.
            version: Which release; default: the newest.
            variant: Which variant; default: the first one whose engine is here.
            progress: Told (bytes received, bytes in all).

        Raises:
            TransferError: The download failed or is not what the manifest promised.
            StorageFullError: The device has no room; nothing was changed.
            UnsupportedModelError: No variant runs here.
            ValidationError: It does not do what its release promises.
        """
        release = manifest.release(version)
        offer = offers.made(manifest, release, self._platform, variant=variant)
        async with self._platform.locks.hold(f"install:{manifest.model}"):
            old = await self._library.find(manifest.model)
            if old is not None and old.active == release.version:
                return old
            known = await offers.of(self._platform, manifest.model)
            await self._platform.store.commit(
                offers.dropped(known, offer) if known else [offer.kept()]
            )
            need = await self.download(offer, progress)
            await self.verify(need)
            installed = await self.activate(need, await self.validate(need))
            return await self._library.inform(manifest) or installed

    async def need(self, offer: Offer) -> Need:
        """What has to come, and from where: from files that are here as far as possible.

        Raises:
            NetworkError, IntegrityError: The chunk index could not be had.
        """
        variant, here = offer.variant, await self._platform.store.blobs()
        wanted = [*variant.files.values(), *([variant.golden] if variant.golden else [])]
        plans = [
            plan(item, (), (), await self._platform.store.parts(item.sha256))
            for item in wanted
            if here.get(item.sha256) != item.size
        ]
        index = await self.index(variant)
        if here.get(variant.blob.sha256) != variant.blob.size:
            plans.append(
                plan(
                    variant.blob,
                    indexes.readable(await index.read(), variant.blob.size) if index else (),
                    await self._sources(offer.model),
                    await self._platform.store.parts(variant.blob.sha256),
                    distrust=self._distrust.get(variant.blob.sha256, frozenset()),
                )
            )
        return Need(offer, index, tuple(plans))

    async def download(self, offer: Offer, progress: Progress | None = None) -> Need:
        """Bring an offer's files here, as parts; what is here already is not fetched.

        Cancelling it, or an error, leaves what has come: the next download goes on from there.

        Raises:
            TransferError: They could not be had.
            StorageFullError: The device has no room, and nothing that may go frees enough.
        """
        need = await self._roomy(offer)
        total, done = need.download_size, 0
        for item in need.plans:

            def report(received: int, _: int, before: int = done) -> None:
                if progress is not None:
                    progress(min(before + received, total), total)

            await download(self._platform, self._locate(item.wanted), item, report)
            done += item.download_size
        return need

    async def verify(self, need: Need) -> None:
        """Make sure that what is here is what was promised, every byte of it.

        Raises:
            IntegrityError: It is not; what is wrong was dropped, and comes anew the next time.
        """
        damaged = False
        for item in need.plans:
            if not await verified(await assemble(self._platform, item), item.wanted):
                await self._drop_what_is_spoilt(item)
                damaged = True
        if damaged:
            raise IntegrityError(
                f"What is stored of the new version of {need.offer.title} was damaged on this"
                " device",
                todo="Try again: it comes anew",
            )

    async def validate(self, need: Need) -> float | None:
        """Run the golden set; see `satchel.validation.validate`.

        Returns:
            Seconds that it took; None: there is none.
        """
        variant = need.offer.variant
        if variant.golden is None:
            return None
        content = await self._content(need, variant.golden)
        active = await self._library.find(need.offer.model)
        return await validate(
            self._platform,
            await self._content(need, variant.blob),
            variant,
            _golden(await content.read()),
            seconds=limit(active.current.validated_in if active else None),
            # A first model has nothing beside it that it could disturb, and warms its engine up.
            engine=None if active else self._platform.engines[variant.engine],
        )

    async def activate(
        self, need: Need, validated_in: float | None, *, keep_previous: bool = True
    ) -> InstalledModel:
        """Make the new version the active one.

        Args:
            need: What `download` gave, verified and validated.
            validated_in: What `validate` gave.
            keep_previous: Whether the version before stays, to go back to.

        Raises:
            StorageFullError: The device has no room; nothing was changed.
            LibraryError: The model is pinned to another version.
        """
        offer, variant = need.offer, need.offer.variant
        new = InstalledVersion(
            offer.release,
            offer.chosen,
            offer.platform,
            self._platform.clock.now(),
            validated_in,
        )
        installed = InstalledModel(
            offer.model,
            offer.task,
            offer.title,
            offer.release.version,
            {offer.release.version: new},
            probation=Probation(),
        )
        changes: list[Change] = list(offers.dropped(offer))
        changes += [
            PutBlob(item.wanted.sha256, await assemble(self._platform, item))
            for item in need.plans
            if item.wanted != variant.golden
        ]
        if variant.chunks and need.index:
            changes.append(PutBlob(variant.chunks.sha256, need.index))
        return await self._library.activate(installed, changes, keep_previous=keep_previous)

    async def index(self, variant: Variant) -> Blob | None:
        """A variant's chunk index, from here or from where it is published; None: it has none."""
        wanted, store = variant.chunks, self._platform.store
        if wanted is None:
            return None
        parts = await store.parts(wanted.sha256)
        for found in (await store.blob(wanted.sha256), *(part.blob for part in parts)):
            if found is not None and await verified(found, wanted):
                return found
        fetched = await fetch_blob(self._platform, self._locate(wanted), wanted)
        await store.commit([PutPart(wanted.sha256, 0, fetched)])
        return fetched

    async def _sources(self, model_id: str) -> list[Source]:
        """The model's versions that are here, to take chunks from."""
        model = await self._library.find(model_id)
        found = []
        for version in model.versions.values() if model else ():
            variant, store = version.variant, self._platform.store
            blob = await store.blob(variant.blob.sha256)
            index = variant.chunks and await store.blob(variant.chunks.sha256)
            if (
                not blob
                or not index
                or not variant.chunks
                or not await verified(index, variant.chunks)
            ):
                continue
            found.append(Source(blob, indexes.readable(await index.read(), variant.blob.size)))
        return found

    async def _drop_what_is_spoilt(self, item: Plan) -> None:
        left = await checked(self._platform, item)
        self._distrust[item.wanted.sha256] = left.distrust
        if not left.missing:  # every chunk is what its index says, which is that of another file
            await self._platform.store.commit([DeleteParts(item.wanted.sha256)])

    async def _content(self, need: Need, wanted: Reference) -> Blob:
        """A file of the new version, from where it lies now."""
        for item in need.plans:
            if item.wanted == wanted:
                return await assemble(self._platform, item)
        blob = await self._platform.store.blob(wanted.sha256)
        if blob is None:
            raise IntegrityError(
                f"A file of {need.offer.title} is missing on this device", todo="Try again"
            )
        return blob

    async def _roomy(self, offer: Offer) -> Need:
        """What an offer needs, once there is room for it."""
        need = await self.need(offer)
        space = await self._platform.store.space()
        if space.quota is None or space.used is None:
            return need
        missing = need.room - (space.quota - space.used)
        if missing <= 0:
            return need
        await self._make_room(offer, missing)
        return await self.need(offer)

    async def _make_room(self, offer: Offer, missing: int) -> None:
        models = await self._library.list()
        busy = [model.model for model in models if await self._in_use(model.model)]
        chosen = evictions(models, busy, offer.model, missing)
        if chosen is None:
            raise StorageFullError(
                f"There is no room for {offer.title} {offer.release.version}: "
                f"{missing / 1e6:.1f} MB are missing on this device",
                todo="Free some space, or remove a model, and try again. Nothing was changed",
            )
        await self._library.evict(chosen, f"It made room for {offer.title}.")

    async def _in_use(self, model_id: str) -> bool:
        async with self._platform.locks.attempt(f"use:{model_id}") as free:
            return not free


def _golden(data: bytes) -> golden.GoldenSet:
    """A golden set; what the maker signed and nobody can read is the version's fault."""
    try:
        return golden.decode(data)
    except ManifestError as error:
        raise ValidationError(
            "The new version has nothing to prove itself with", why=str(error), todo=KEPT
        ) from error
