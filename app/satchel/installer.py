"""How a release gets onto this device: planned, downloaded, verified, validated, activated.

Until it is activated nothing of it is where a model is looked for: what has come lies in parts,
each verified. Activating is one commit: the files in their places, the parts gone, the model's
record pointing at the new version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from satchel import changes as steps
from satchel import chunks as indexes
from satchel import golden, offers, unfit
from satchel.digests import verified
from satchel.errors import (
    EngineUnavailableError,
    InferenceError,
    IntegrityError,
    ManifestError,
    SatchelError,
    StorageFullError,
    UnsupportedModelError,
    ValidationError,
)
from satchel.installed import InstalledModel, InstalledVersion, Probation
from satchel.library import Library
from satchel.manifest import Manifest, Reference, Variant
from satchel.offers import Offer
from satchel.plan import Plan, Source, plan
from satchel.platform import Blob, Change, DeleteParts, Platform, PutBlob, PutPart
from satchel.room import evictions
from satchel.transfer import Progress, assemble, checked, download, fetch_blob
from satchel.validation import KEPT, limit, validate
from satchel.variants import against, best

__all__ = ["Installer", "Need"]

Locate = Callable[[Reference], str]
"""Gives the URL of a blob."""

Step = Callable[[str], None]
"""Told what begins: "downloading", "verifying" or "validating"."""


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
            variant: Which variant; default: the first one that this device can use.
            progress: Told (bytes received, bytes in all).

        Raises:
            TransferError: The download failed or is not what the manifest promised.
            StorageFullError: The device has no room; nothing was changed.
            UnsupportedModelError: No variant runs here.
            ValidationError: It does not do what its release promises.
        """
        release, abilities = manifest.release(version), await unfit.abilities(self._platform)
        offer = offers.made(manifest, release, self._platform, variant=variant, abilities=abilities)
        async with self._platform.locks.hold(f"install:{manifest.model}"):
            old = await self._library.find(manifest.model)
            if old is not None and old.active == release.version:
                return await self._in_variant(old, variant, progress)
            known = await offers.of(self._platform, manifest.model)
            await self._platform.store.commit(
                offers.dropped(known, offer) if known else [offer.kept()]
            )
            need = await self.download(offer, progress)
            installed = await self.put_in_place(need, progress=progress)
            return await self._library.inform(manifest) or installed

    async def put_in_place(
        self,
        need: Need,
        *,
        keep_previous: bool = True,
        progress: Progress | None = None,
        on_step: Step = lambda _: None,
    ) -> InstalledModel:
        """Verify and validate what has come, and make it the active version.

        A variant that turns out not to work on this device is left for the next one that may, which
        is fetched; that is remembered.

        Args:
            need: What `download` gave.
            keep_previous: Whether the version before stays, to go back to.
            progress: Told (bytes received, bytes in all) of a next variant.
            on_step: Told what begins.

        Raises:
            ValidationError: No variant does what the release promises.
            EngineUnavailableError: No engine for any of its variants starts here.
            InferenceTimeoutError, OutOfMemoryError: It can't be told here and now.
            TransferError, StorageFullError: The next variant could not be had.
        """
        while True:
            on_step("verifying")
            await self.verify(need)
            on_step("validating")
            try:
                seconds = await self.validate(need)
            except (EngineUnavailableError, ValidationError) as error:
                offer = await self._next(need.offer, error)
            else:
                need = await self._with_sound_others(need)
                return await self.activate(need, seconds, keep_previous=keep_previous)
            on_step("downloading")
            need = await self.download(offer, progress)

    async def add_variant(
        self, model_id: str, name: str, progress: Progress | None = None
    ) -> InstalledModel:
        """Bring one more variant of a model's active version here, beside the one in use.

        Chunks that it shares with what is here are not fetched. An interrupted download goes on
        where it stopped. `Library.open(model_id, variant=name)` opens it then; where the device
        can't use the one in use any more, or this one is better, it becomes the one in use.

        Args:
            model_id: The model's id.
            name: The variant's name; `Library.variants` lists them.
            progress: Told (bytes received, bytes in all).

        Raises:
            ModelNotFoundError: The model is not installed, or has no such variant.
            UnsupportedModelError: This device can't use it; the message says why.
            TransferError: It could not be had; what has come is kept.
            StorageFullError: The device has no room; nothing was changed.
            ValidationError, EngineUnavailableError: It does not work here; that is remembered.
        """
        async with self._platform.locks.hold(f"install:{model_id}"):
            return await self._added(await self._library.installed(model_id), name, progress)

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

    async def validate(self, need: Need) -> float | None:
        """Run the golden set of the device's variant; see `satchel.validation.validate`.

        Returns:
            Seconds that it took; None: there is none.
        """
        return await self._validated(need, need.offer.variant)

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
        offer = need.offer
        new = InstalledVersion(
            offer.release,
            offer.chosen,
            offer.platform,
            self._platform.clock.now(),
            validated_in,
            offer.others,
            offer.insisted,
            offer.reason,
        )
        installed = InstalledModel(
            offer.model,
            offer.task,
            offer.title,
            offer.release.version,
            {offer.release.version: new},
            probation=Probation(),
        )
        puts = [*offers.dropped(offer), *await self._puts(need)]
        return await self._library.activate(installed, puts, keep_previous=keep_previous)

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

    async def _validated(self, need: Need, variant: Variant) -> float | None:
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

    async def _with_sound_others(self, need: Need) -> Need:
        """What has come, without further variants that turn out not to work here."""
        offer, published = need.offer, need.offer.release.variants(need.offer.platform)
        sound = []
        for variant in offer.variants[1:]:
            try:
                await self._validated(need, variant)
            except InferenceError:
                continue  # not now: it may be had again
            except (EngineUnavailableError, ValidationError) as error:
                await self._library.blame(published, variant, error)
            else:
                sound.append(variant.name)
        if len(sound) == len(offer.others):
            return need
        fewer = replace(offer, others=tuple(sound))
        await self._platform.store.commit(offers.dropped(offer, fewer))
        return await self.need(fewer)

    async def _next(self, offer: Offer, error: SatchelError) -> Offer:
        """The offer of the next variant, where one turned out not to work here.

        Raises:
            SatchelError: The error, where there is no other one, or somebody insists on this one.
        """
        published = offer.release.variants(offer.platform)
        if offer.insisted or not await self._library.blame(published, offer.variant, error):
            raise error
        choice = best(published, await unfit.abilities(self._platform))
        if choice is None:
            raise error
        following = replace(
            offer,
            chosen=choice.variant.name,
            others=tuple(name for name in offer.others if name != choice.variant.name),
            reason=choice.reason,
            download_size=None,
        )
        await self._platform.store.commit(offers.dropped(offer, following))
        return following

    async def _in_variant(
        self, model: InstalledModel, name: str | None, progress: Progress | None
    ) -> InstalledModel:
        """An installed model, in a variant that somebody insists on."""
        if name is None or name == model.current.chosen:
            return model
        await self._added(model, name, progress)
        return await self._library.prefer(model.model, name)

    async def _added(
        self, model: InstalledModel, name: str, progress: Progress | None
    ) -> InstalledModel:
        now = model.current
        variant = now.named(name)
        if variant in now.here:
            return model
        # What failed before is tried again: somebody asks for it.
        if why := against(variant, unfit.now(self._platform)):
            raise UnsupportedModelError(
                f"The variant '{name}' of {model.title} can't be used on this device", why=why
            )
        offer = Offer(model.model, model.task, model.title, now.release, name, now.platform)
        need = await self.download(offer, progress)
        await self.verify(need)
        gone: list[Change] = [DeleteParts(item.sha256) for item in offers.files(offer)]
        try:
            await self.validate(need)
        except (EngineUnavailableError, ValidationError) as error:
            await self._library.blame(now.published, variant, error)
            await self._platform.store.commit(gone)
            raise
        await unfit.forgotten(self._platform, variant)
        return await self._library.change(
            model.model,
            lambda model: steps.with_variant(model, now.release.version, name),
            puts=[*gone, *await self._puts(need)],
        )

    async def _puts(self, need: Need) -> list[Change]:
        """What puts in place what has come."""
        passing = {variant.golden for variant in need.offer.variants}
        puts: list[Change] = [
            PutBlob(item.wanted.sha256, await assemble(self._platform, item))
            for item in need.plans
            if item.wanted not in passing
        ]
        return puts + [PutBlob(digest, index) for digest, index in need.indexes.items()]

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
