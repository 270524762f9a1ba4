"""How a release gets onto this device: delivered, validated, activated, in a variant that works.

Activating is one commit: the files in their places, the parts gone, the model's record pointing at
the new version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from satchel import changes as steps
from satchel import golden, offers, unfit
from satchel.delivery import Delivery, Locate, Need
from satchel.errors import (
    EngineUnavailableError,
    InferenceError,
    ManifestError,
    SatchelError,
    UnsupportedModelError,
    ValidationError,
)
from satchel.installed import InstalledModel, InstalledVersion, Probation
from satchel.manifest import Manifest, Variant
from satchel.offers import Offer
from satchel.platform import Change, DeleteParts
from satchel.transfer import Progress
from satchel.validation import KEPT, limit, validate
from satchel.variants import against, best

__all__ = ["Installer", "Locate", "Need"]

Step = Callable[[str], None]
"""Told what begins: "downloading", "verifying" or "validating"."""


class Installer(Delivery):
    """Brings releases onto this device, and makes them count.

    Args:
        library: Where to.
        platform: Its platform.
        locate: Gives the URL of a blob.
    """

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
        puts = [*offers.dropped(offer), *await self.puts(need)]
        return await self._library.activate(installed, puts, keep_previous=keep_previous)

    async def _validated(self, need: Need, variant: Variant) -> float | None:
        if variant.golden is None:
            return None
        content = await self.content(need, variant.golden)
        active = await self._library.find(need.offer.model)
        return await validate(
            self._platform,
            await self.content(need, variant.blob),
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
            puts=[*gone, *await self.puts(need)],
        )


def _golden(data: bytes) -> golden.GoldenSet:
    """A golden set; what the maker signed and nobody can read is the version's fault."""
    try:
        return golden.decode(data)
    except ManifestError as error:
        raise ValidationError(
            "The new version has nothing to prove itself with", why=str(error), todo=KEPT
        ) from error
