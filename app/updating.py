"""The page's updates: looks for them, fetches them when the moment is right, and says what it does.

Loaded once somebody needs it; nothing here is on the way to a first answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from facts import Facts, Live, in_words

from satchel import offers
from satchel.errors import SatchelError
from satchel.library import Library
from satchel.manifest import Manifest
from satchel.offers import Offer
from satchel.platform import Platform, PutRecord
from satchel.policy import Conditions, Moment, when
from satchel.trust import Trust
from satchel.updates import ApplyResult, Artifact, EdgeModelManager

__all__ = ["Updating"]

Progress = Callable[[dict[str, Any]], None]

PHASES = {
    "downloading": "Fetching",
    "verifying": "Checking every byte",
    "validating": "Trying it out",
}


class Updating:
    """Updates of this site's models.

    Args:
        platform: Where.
        library: Whose models.
        facts: Told what goes on.
        tell: Called when the facts have changed, in this tab and for the others.
        models: Ids of the site's models.
        urls: `metadata`, `manifests` and `blobs`, absolute.
        trust: `root` and `id` of the site's facts.
    """

    def __init__(
        self,
        platform: Platform,
        library: Library,
        facts: Facts,
        tell: Callable[[str], None],
        models: list[str],
        urls: Mapping[str, str],
        trust: Mapping[str, Any],
    ) -> None:
        self._platform = platform
        self._library = library
        self._facts = facts
        self._tell = tell
        self._models = models
        root = trust["root"].encode()
        self._trust = Trust(
            platform,
            metadata_url=urls["metadata"],
            manifests_url=urls["manifests"],
            root=root,
            name=trust["id"],
        )
        base = urls["blobs"].removesuffix("blobs/")
        self._managers = {
            model: EdgeModelManager(
                base,
                model_id=model,
                trusted_root=root,
                platform=platform,
                trust=self._trust,
                library=library,
            )
            for model in models
        }
        self._tried: set[tuple[str, str]] = set()  # what failed unasked is not tried again unasked

    # ---- looking

    async def check(self) -> None:
        """Look for updates of all models that are here.

        Raises:
            SatchelError: Why it could not be looked; it is noted, too.
        """
        self._facts.checking = True
        self._tell("")
        try:
            problem, models = await self._checked()
        finally:
            self._facts.checking = False
            self._tell("")
        if problem is not None:
            raise problem
        self._tried.clear()
        for error in models.values():
            raise error

    async def _checked(self) -> tuple[SatchelError | None, dict[str, SatchelError]]:
        problem: SatchelError | None = None
        errors: dict[str, SatchelError] = {}
        try:
            async with self._platform.locks.hold("check"):
                found = await self._trust.manifests(self._models)
        except SatchelError as error:
            problem, found = error, {}
        for model, data in found.items():
            if await self._library.find(model) is None:
                continue
            try:
                await self._managers[model].consider(Manifest.parse(data))
            except SatchelError as error:
                errors[model] = error
        record = {
            "at": self._platform.clock.now(),
            "problem": problem and str(problem),
            "models": {model: str(error) for model, error in errors.items()},
        }
        await self._platform.store.commit([PutRecord("meta", "check", record)])
        return problem, errors

    # ---- fetching

    async def fetch_due(self, conditions: Conditions) -> None:
        """Fetch what should be fetched now without being asked for; say why the rest waits."""
        for offer in await offers.pending(self._platform):
            installed = await self._library.find(offer.model)
            if installed is None or offer.model not in self._managers or self._busy(offer.model):
                continue
            if offer.paused and not offer.mandatory:
                continue
            pinned = installed.pinned and str(installed.pinned)
            decision = when(
                conditions, mandatory=offer.mandatory, agreed=offer.agreed, pinned=pinned
            )
            attempt = (offer.model, str(offer.release.version))
            if decision.moment is Moment.NOW and attempt not in self._tried:
                try:
                    await self.fetch(offer.model)
                except SatchelError:
                    continue  # it is in the facts, and in the history
            elif decision.moment is not Moment.NOW and not offer.problem:
                waits = Live("waiting", reason=decision.reason, ask=decision.moment is Moment.ASK)
                self._show(offer.model, waits if offer.mandatory else None)

    async def fetch(self, model_id: str, progress: Progress | None = None) -> None:
        """Bring a model's update here and put it in place.

        Cancelling it keeps what has come.

        Raises:
            UpdateError: There is none, or it is not as its release promises; what was here stays.
            TransferError: It could not be had.
            StorageFullError: There is no room.
        """
        manager = self._managers[model_id]
        try:
            async with self._platform.locks.hold("updater"):
                offer = await offers.of(self._platform, model_id)
                if offer is None:
                    return  # another tab was quicker
                self._tried.add((model_id, str(offer.release.version)))
                artifact = await self._download(manager, offer, progress)
                await self._put_in_place(manager, offer, artifact, progress)
        except asyncio.CancelledError:
            offer = await offers.of(self._platform, model_id)
            if offer is not None:
                await self._keep(replace(offer, paused=True))
            self._show(model_id, None)
            raise

    async def _download(
        self, manager: EdgeModelManager, offer: Offer, progress: Progress | None
    ) -> Artifact:
        def report(received: int, total: int) -> None:
            self._step(offer.model, Live("downloading", received, total), progress)

        report(0, offer.download_size or offer.size)
        # Who asks for it, or lets it come, has agreed to what it costs.
        await self._keep(replace(offer, agreed=True, paused=False, problem=""))
        try:
            return await manager.download_update(manager.update(offer), report)
        except SatchelError as error:
            await self._failed(offer, error)
            raise

    async def _put_in_place(
        self,
        manager: EdgeModelManager,
        offer: Offer,
        artifact: Artifact,
        progress: Progress | None,
    ) -> None:
        def begun(step: str) -> None:
            self._step(offer.model, Live(step, artifact.size, artifact.size), progress)

        result: ApplyResult = await manager.apply_update(artifact, on_step=begun)
        self._show(offer.model, None)
        if result.error is not None:
            if await offers.of(self._platform, offer.model) is not None:
                await self._failed(offer, result.error)
            raise result.error

    async def _failed(self, offer: Offer, error: SatchelError) -> None:
        """Keep why it failed, for the page and for the history."""
        known = await offers.of(self._platform, offer.model) or offer
        await self._keep(replace(known, problem=str(error)))
        installed = await self._library.find(offer.model)
        if installed is not None:
            text = f"{offer.release.version} was not installed. {error}"
            await self._library.note(installed, "failed", text)
        self._show(offer.model, None)

    async def _keep(self, offer: Offer) -> None:
        await self._platform.store.commit([offer.kept()])

    def _busy(self, model_id: str) -> bool:
        live = self._facts.live.get(model_id)
        return live is not None and live.state in PHASES

    def _step(self, model_id: str, live: Live, progress: Progress | None) -> None:
        self._show(model_id, live)
        if progress is not None:
            figures = f"{in_words(live.received)} of {in_words(live.total)}"
            progress(
                {
                    "phase": live.state,
                    "received": live.received,
                    "total": live.total,
                    "text": f"{PHASES[live.state]}: {figures}",
                }
            )

    def _show(self, model_id: str, live: Live | None) -> None:
        if live is None:
            self._facts.live.pop(model_id, None)
        else:
            self._facts.live[model_id] = live
        self._tell(model_id)

    # ---- the rest

    async def discard(self, model_id: str) -> None:
        """Drop what has come of an update; it stays on offer."""
        await self._managers[model_id].discard()
        self._show(model_id, None)
