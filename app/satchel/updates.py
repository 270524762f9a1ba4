"""EdgeModelManager: keeps one model up to date, step by step, from a signed release repository.

check → download → verify → apply (validate, activate) → rollback. Nothing that works is touched
before the last step, and that is one commit. See "An update" in docs/ARCHITECTURE.md.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from satchel import offers, rollout, unfit
from satchel import platform as platforms
from satchel.errors import (
    InferenceTimeoutError,
    IntegrityError,
    OutOfMemoryError,
    SatchelError,
    TransferError,
    UpdateError,
    ValidationError,
    WithdrawnError,
)
from satchel.installed import InstalledModel
from satchel.installer import Installer, Need
from satchel.library import Library
from satchel.manifest import Manifest
from satchel.offers import ATTEMPTS, Offer
from satchel.platform import Platform
from satchel.runtime import EdgeRuntime
from satchel.versions import Version

if TYPE_CHECKING:
    from satchel.trust import Trust

__all__ = ["ApplyResult", "Artifact", "EdgeModelManager", "Update"]

ProgressCallback = Callable[[int, int], Awaitable[None] | None]
"""Called with (bytes received, bytes in all), never more than all; may be a coroutine function."""


@dataclass(frozen=True, slots=True)
class Update:
    """A version that this device may take.

    Attributes:
        version: By SemVer.
        url: Where its model file lies.
        size: Bytes of all its files.
        download_size: Bytes to fetch: what is not here yet.
        changelog: What is new, in its maker's words.
        mandatory: Whether its maker wants it on every device.
        sha256: Of the model file, in hex.
        offer: All that is known of it.
    """

    version: str
    url: str
    size: int
    download_size: int
    changelog: str
    mandatory: bool
    sha256: str
    offer: Offer


@dataclass(frozen=True, slots=True)
class Artifact:
    """A version whose files are here, and not in use yet.

    Attributes:
        version: By SemVer.
        sha256: Of the model file, in hex.
        size: Bytes of the model file.
        need: Where its files lie.
    """

    version: str
    sha256: str
    size: int
    need: Need


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What became of a version.

    Attributes:
        success: Whether it is the active one now.
        version: The version that is active now; None: none is.
        validation: "passed", "failed", "inconclusive" (it ran out of time or memory here), or
            "none" (the release has no golden set, or it was not reached).
        error: Why it is not active; None: it is.
        rolled_back: Whether the device stayed at, or went back to, the version before.
    """

    success: bool
    version: str | None
    validation: str
    error: SatchelError | None
    rolled_back: bool
    _open: Callable[[], Awaitable[EdgeRuntime]]

    async def runtime(self) -> EdgeRuntime:
        """The active version, not yet loaded into the engine.

        Raises:
            ModelNotFoundError: None is.
        """
        return await self._open()


class EdgeModelManager:
    """Keeps one model up to date.

    Args:
        update_server_url: The release repository: the folder of `metadata/`, `manifests/` and
            `blobs/`. Any static host, also of another origin.
        device_id: Decides about staged roll-outs, here; default: the library's own random one.
        current_version: The version in use; default: the library's.
        model_id: Which model.
        trusted_root: Root metadata to start from, as the page or program brings it along.
        platform: Where; default: here.
        trust: Who verifies; default: The Update Framework's client, from ``trusted_root``.
        library: Whose models; default: this site's.

    Example::

        manager = satchel.EdgeModelManager(url, model_id="my-model", trusted_root=root)
        update = await manager.check_for_updates()
        if update is not None:
            artifact = await manager.download_update(update, print)
            if await manager.verify_update(artifact, update.sha256):
                result = await manager.apply_update(artifact)
    """

    def __init__(
        self,
        update_server_url: str,
        device_id: str | None = None,
        current_version: str | None = None,
        *,
        model_id: str,
        trusted_root: bytes | str,
        platform: Platform | None = None,
        trust: Trust | None = None,
        library: Library | None = None,
    ) -> None:
        self._url = update_server_url.rstrip("/") + "/"
        self._device = device_id
        self._current = Version.parse(current_version) if current_version else None
        self.model_id = model_id
        self._platform = platform or platforms.current()
        self._library = library or Library(self._platform)
        self._root = trusted_root.encode() if isinstance(trusted_root, str) else bytes(trusted_root)
        self._trust = trust
        self._installer = Installer(
            self._library, self._platform, lambda item: f"{self._url}blobs/{item.sha256}"
        )

    async def check_for_updates(self) -> Update | None:
        """Look for a version that this device may take.

        Returns:
            The newest one; None: this device has it, or a newer one.

        Raises:
            TrustError: The signed metadata cannot be trusted, or has expired.
            NetworkError: The repository could not be reached.
            UpdateError: It does not have this model.
        """
        found = await self._trusted().manifests([self.model_id])
        if self.model_id not in found:
            raise UpdateError(
                f"The release repository has no model '{self.model_id}'",
                todo="What is on this device goes on working",
            )
        return await self.consider(Manifest.parse(found[self.model_id]))

    async def consider(self, manifest: Manifest) -> Update | None:
        """What a verified manifest has for this device; keeps it as the model's offer."""
        installed = await self._library.inform(manifest)
        if installed is not None:
            with suppress(WithdrawnError):  # nothing else is here: an offer is the way out
                installed = await self._library.usable(self.model_id)
        offer = await self._offer(manifest, installed)
        known = await offers.of(self._platform, self.model_id)
        if offer is None:
            if known is not None:
                await self._platform.store.commit(offers.dropped(known))
            return None
        if known is not None:
            offer = known.followed_by(offer)
        offer = replace(offer, download_size=(await self._installer.need(offer)).download_size)
        changes = [offer.kept()] if known is None else offers.dropped(known, offer)
        await self._platform.store.commit(changes)
        return self.update(offer)

    async def offered(self) -> Update | None:
        """What the last check found, without asking again: also offline."""
        offer = await offers.of(self._platform, self.model_id)
        return None if offer is None else self.update(offer)

    async def download_update(
        self, update: Update, progress_callback: ProgressCallback | None = None
    ) -> Artifact:
        """Bring a version's files here, as far as they are not here yet.

        Goes on where an earlier download stopped. Cancelling it keeps what has come.

        Args:
            update: What `check_for_updates` found.
            progress_callback: Called with (bytes received, bytes in all).

        Raises:
            TransferError: They could not be had; what has come is kept.
            StorageFullError: There is no room; the message says how much is missing.
        """
        running: set[asyncio.Future[Any]] = set()

        def report(received: int, total: int) -> None:
            answer = progress_callback(received, total) if progress_callback else None
            if inspect.isawaitable(answer):
                task = asyncio.ensure_future(answer)
                running.add(task)
                task.add_done_callback(running.discard)

        async with self._platform.locks.hold(f"install:{self.model_id}"):
            need = await self._installer.download(update.offer, report)
        if running:
            await asyncio.wait(running)
        return Artifact(update.version, update.sha256, update.offer.variant.blob.size, need)

    async def verify_update(self, artifact: Artifact, sha256: str) -> bool:
        """Whether what came is what was promised: every file's length and SHA-256, and ``sha256``.

        What is wrong is dropped, so that it comes anew.
        """
        if artifact.sha256 != sha256:
            return False
        try:
            await self._installer.verify(artifact.need)
        except IntegrityError:
            return False
        return True

    async def apply_update(
        self,
        artifact: Artifact,
        safe_mode: bool = True,
        *,
        on_step: Callable[[str], None] = lambda _: None,
    ) -> ApplyResult:
        """Verify a version and validate it on this device, and make it the active one.

        A variant that turns out not to work on this device is left for the next one that may, which
        is fetched.

        Args:
            artifact: What `download_update` gave.
            safe_mode: Keep the version before, to go back to. Hashes, signatures and golden checks
                are never left out.
            on_step: Told what begins: "verifying", "validating", and "downloading" of another
                variant.

        Returns:
            What became of it. A version that does not do what its release promises is set aside,
            and the version before stays.
        """
        try:
            async with self._platform.locks.hold(f"install:{self.model_id}"):
                installed = await self._installer.put_in_place(
                    artifact.need, keep_previous=safe_mode, on_step=on_step
                )
        except (InferenceTimeoutError, OutOfMemoryError) as error:
            await self._retry_later(artifact.need.offer, error)
            return await self._failed("inconclusive", error)
        except ValidationError as error:
            await self._set_aside(artifact.need.offer, error)
            return await self._failed("failed", error)
        except SatchelError as error:
            return await self._failed("none", error)
        validation = "none" if installed.current.validated_in is None else "passed"
        return ApplyResult(True, str(installed.active), validation, None, False, self._opened)

    async def rollback(self) -> InstalledModel:
        """Make the version before the active one again; offline too.

        Raises:
            LibraryError: There is none.
            WithdrawnError: It was withdrawn.
        """
        return await self._library.rollback(self.model_id)

    async def discard(self) -> None:
        """Drop what has come of a download; the version stays on offer."""
        async with self._platform.locks.hold(f"install:{self.model_id}"):
            offer = await offers.of(self._platform, self.model_id)
            if offer is not None:
                with suppress(TransferError):  # then it is what was missing when it was last known
                    missing = (await self._installer.need(offer)).download_size
                    come = await self._platform.store.part_sizes()
                    indexes = {variant.chunks for variant in offer.variants}
                    counted = [item for item in offers.files(offer) if item not in indexes]
                    missing += sum(come.get(item.sha256, 0) for item in counted)
                    offer = replace(offer, download_size=missing)
                offer = replace(offer, paused=True)
                await self._platform.store.commit([*offers.dropped(offer), offer.kept()])

    def update(self, offer: Offer) -> Update:
        """An offer as an update."""
        blob = offer.variant.blob
        return Update(
            str(offer.release.version),
            f"{self._url}blobs/{blob.sha256}",
            offer.size,
            offer.size if offer.download_size is None else offer.download_size,
            offer.release.changelog,
            offer.mandatory,
            blob.sha256,
            offer,
        )

    def _trusted(self) -> Trust:
        if self._trust is None:
            from satchel.trust import Trust  # python-tuf takes its time to be imported

            self._trust = Trust(
                self._platform,
                metadata_url=self._url + "metadata/",
                manifests_url=self._url + "manifests/",
                root=self._root,
                name=hashlib.sha256(self._root).hexdigest()[:10],
            )
        return self._trust

    async def _offer(self, manifest: Manifest, installed: InstalledModel | None) -> Offer | None:
        from satchel import __version__

        device = self._device or await rollout.device_id(self._platform)
        abilities = await unfit.abilities(self._platform)
        chosen = offers.choose(
            manifest,
            active=self._current or (installed.active if installed else None),
            set_aside=installed.set_aside if installed else {},
            included={
                release.version: rollout.included(
                    device, manifest.model, str(release.version), release.rollout
                )
                for release in manifest.releases
            },
            app=Version.parse(__version__),
            abilities=abilities,
            platform=self._platform.name,
        )
        if chosen is None:
            return None
        release, mandatory = chosen
        return offers.made(
            manifest,
            release,
            self._platform,
            mandatory=mandatory,
            abilities=abilities,
            after=installed.current if installed else None,
        )

    async def _retry_later(self, offer: Offer, error: SatchelError) -> None:
        offer = await offers.of(self._platform, self.model_id) or offer  # of the last variant tried
        offer = replace(offer, attempts=offer.attempts + 1, problem=str(error))
        if offer.attempts >= ATTEMPTS:
            await self._set_aside(offer, error)
        else:
            await self._platform.store.commit([offer.kept()])

    async def _set_aside(self, offer: Offer, error: SatchelError) -> None:
        """Never offer it again by itself, and give its room back."""
        offer = await offers.of(self._platform, self.model_id) or offer
        await self._platform.store.commit(offers.dropped(offer))
        if await self._library.find(self.model_id) is not None:
            await self._library.set_aside(self.model_id, offer.release.version, str(error))

    async def _failed(self, validation: str, error: SatchelError) -> ApplyResult:
        installed = await self._library.find(self.model_id)
        version = str(installed.active) if installed else None
        return ApplyResult(False, version, validation, error, version is not None, self._opened)

    async def _opened(self) -> EdgeRuntime:
        return await self._library.open(self.model_id)
