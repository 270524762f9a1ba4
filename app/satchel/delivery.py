"""How an offer's files get here: what is missing, fetched into parts, and checked.

Until they are put in place nothing of them is where a model is looked for: what has come lies in
parts, each verified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from satchel import chunks as indexes
from satchel.digests import verified
from satchel.errors import IntegrityError, StorageFullError
from satchel.library import Library
from satchel.manifest import Reference, Variant
from satchel.offers import Offer
from satchel.plan import Plan, Source, plan
from satchel.platform import Blob, Change, DeleteParts, Platform, PutBlob, PutPart
from satchel.room import evictions
from satchel.transfer import Progress, assemble, checked, download, fetch_blob

__all__ = ["Delivery", "Locate", "Need"]

Locate = Callable[[Reference], str]
"""Gives the URL of a blob."""


@dataclass(frozen=True, slots=True)
class Need:
    """What an offer still needs on this device.

    Attributes:
        offer: The offer.
        indexes: The model files' chunk indexes, by SHA-256.
        plans: How each file that is not here comes: the models themselves last.
    """

    offer: Offer
    indexes: Mapping[str, Blob]
    plans: tuple[Plan, ...]

    @property
    def download_size(self) -> int:
        """Bytes to fetch; what two variants share comes once."""
        missing = {chunk.sha256: chunk.size for plan in self.plans for chunk in plan.missing}
        return sum(missing.values())

    @property
    def room(self) -> int:
        """Bytes of storage that must be free: for parts on their way, then for whole files."""
        return self.download_size + sum(plan.wanted.size for plan in self.plans)


class Delivery:
    """Brings files of releases onto this device.

    Args:
        library: Whose sources are used again, and what may have to make room.
        platform: Its platform.
        locate: Gives the URL of a blob.
    """

    def __init__(self, library: Library, platform: Platform, locate: Locate) -> None:
        self._library = library
        self._platform = platform
        self._locate = locate
        self._distrust: dict[str, frozenset[str]] = {}  # chunks here that led to a wrong blob

    async def need(self, offer: Offer) -> Need:
        """What has to come, and from where: from files that are here as far as possible.

        Raises:
            NetworkError, IntegrityError: A chunk index could not be had.
        """
        store = self._platform.store
        here, found = await store.blobs(), dict[str, Blob]()
        small = dict.fromkeys(
            item
            for variant in offer.variants
            for item in (*variant.files.values(), variant.golden)
            if item and here.get(item.sha256) != item.size
        )
        plans = [plan(item, (), (), await store.parts(item.sha256)) for item in small]
        sources = await self._sources(offer.model)
        for variant in offer.variants:
            index = await self.index(variant)
            if index and variant.chunks:
                found[variant.chunks.sha256] = index
            if here.get(variant.blob.sha256) == variant.blob.size:
                continue
            planned = plan(
                variant.blob,
                indexes.readable(await index.read(), variant.blob.size) if index else (),
                sources,
                await store.parts(variant.blob.sha256),
                distrust=self._distrust.get(variant.blob.sha256, frozenset()),
            )
            plans.append(planned)
            if not planned.missing:  # what has come of one variant need not come for the next
                sources.append(Source(await assemble(self._platform, planned), planned.chunks))
        return Need(offer, found, tuple(plans))

    async def download(self, offer: Offer, progress: Progress | None = None) -> Need:
        """Bring an offer's files here, as parts; what is here already is not fetched.

        Cancelling it, or an error, leaves what has come: the next download goes on from there.

        Raises:
            TransferError: They could not be had.
            StorageFullError: The device has no room, and nothing that may go frees enough.
        """
        need = await self._roomy(offer)
        total, done = need.download_size, 0
        while missing := [item for item in need.plans if item.missing]:
            item = missing[0]

            def report(received: int, _: int, before: int = done) -> None:
                if progress is not None:
                    progress(min(before + received, total), total)

            await download(self._platform, self._locate(item.wanted), item, report)
            done += item.download_size
            if len(missing) == 1:
                break
            need = await self.need(offer)
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

    async def puts(self, need: Need) -> list[Change]:
        """What puts in place what has come."""
        passing = {variant.golden for variant in need.offer.variants}
        puts: list[Change] = [
            PutBlob(item.wanted.sha256, await assemble(self._platform, item))
            for item in need.plans
            if item.wanted not in passing
        ]
        return puts + [PutBlob(digest, index) for digest, index in need.indexes.items()]

    async def content(self, need: Need, wanted: Reference) -> Blob:
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

    async def _sources(self, model_id: str) -> list[Source]:
        """The model's versions that are here, to take chunks from."""
        model, store = await self._library.find(model_id), self._platform.store
        versions = model.versions.values() if model else ()
        found = []
        here = {one.blob: one for version in versions for one in version.here}
        for variant in here.values():
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
