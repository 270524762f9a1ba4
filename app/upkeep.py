"""Looking after the models while the page is open: updates, damage, and news for the page.

Nothing here happens before the page rests: a person's answer comes first.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import js
from adaptation import Adaptation
from facts import Facts, Live, device_facts
from later import Later
from opened import Opened, kind

import satchel
from satchel import offers
from satchel import platform as platforms
from satchel.device import DeviceProfile
from satchel.policy import CALM, HOURS_BETWEEN_CHECKS, IDLE, Conditions, Moment, when
from satchel.repair import Repair

if TYPE_CHECKING:
    from adapting import Adapting
    from updating import Updating

__all__ = ["Upkeep"]

NEWS_SECONDS = 0.2
"""Between two pictures of the library for the page, while something goes on."""

_now = js.performance.now


class Upkeep:
    """What goes on beside the person's work.

    Args:
        site: `models` and `urls` of the page's site data.
        url: Makes a URL absolute.
        later: Gives the rest of the site data, and the modules of updates.
        opened: The tasks that are open, and their library.
        adaptation: How hard the page works.
        worked: Tells when somebody last wanted something, in milliseconds of the worker's clock.
    """

    def __init__(
        self,
        site: dict[str, Any],
        url: Callable[[str], str],
        later: Later,
        opened: Opened,
        adaptation: Adaptation,
        worked: Callable[[], float],
    ) -> None:
        self._site = site
        self._url = url
        self._later = later
        self._opened = opened
        self._library = opened.library
        self._adaptation = adaptation
        self._platform = platforms.current()
        self.facts = Facts(site["models"], self._library, self._platform)
        self._updating: Updating | None = None
        self._loading = asyncio.Lock()
        self._post: Callable[[str, dict[str, Any]], None] | None = None
        self._news = asyncio.Event()
        self._turn = asyncio.Event()
        self._device: DeviceProfile | None = None
        self._worked = worked
        self._checked: float | None = None
        self._follows = False
        self._going_on: set[asyncio.Task[None]] = set()

    @cached_property
    def adapting(self) -> Adapting:
        """How hard the page works, for people."""
        from adapting import Adapting

        return Adapting(self._adaptation, self._opened)

    def start(self, post: Callable[[str, dict[str, Any]], None]) -> None:
        """Begin, once the engine is ready.

        Args:
            post: Takes "library", "device" or "adaptive", and its facts, whenever they have
                changed.
        """
        self._post = post
        self._adaptation.on_begin = lambda inference: self._beside(
            self.adapting.tell(inference, post)
        )
        self._opened.on_change = self._changed
        self._platform.channel.listen(self._heard)
        for work in (self._tell_page(), self._look_after()):
            self._beside(work)

    def hear(self, said: dict[str, Any]) -> None:
        """Take what the page's main thread sees of the device."""
        self._platform.sensors.tell(said)

    def turn(self) -> None:
        """See at once whether there is something to do."""
        self._turn.set()

    async def updating(self) -> Updating:
        """The updates; their code is loaded now if it was not before."""
        async with self._loading:
            if self._updating is None:
                await self._later.load_updates()
                from updating import Updating

                trust = self._later.site("trust")
                self.facts.development = bool(trust["development"])
                urls = self._site["urls"]
                self._updating = Updating(
                    self._platform,
                    self._library,
                    self.facts,
                    self._tell,
                    [model["id"] for model in self._site["models"]],
                    {name: self._url(urls[name]) for name in ("metadata", "manifests", "blobs")},
                    trust,
                )
        return self._updating

    # ---- looking after the models

    async def _look_after(self) -> None:
        await self._rest(CALM)
        self._device = await self._platform.sensors.read()
        self._platform.sensors.listen(self._felt)
        self._adaptation.begin()
        with suppress(satchel.SatchelError):  # whoever opens what is damaged hears of it
            await self._mend()
        while True:
            await self._rest(CALM)
            self._turn.clear()
            with suppress(satchel.SatchelError):  # it stands in the facts, where it is of interest
                for model_id in self._opened.models:
                    await self._library.opened(model_id)
                await self._update()
                await self._look_ahead()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._until_next()):
                    await self._turn.wait()

    async def _update(self) -> None:
        """Look for updates if it is time to, and fetch what should be fetched now."""
        if self._due():
            self._checked = _now()
            with suppress(satchel.SatchelError):
                await (await self.updating()).check()
        if await offers.pending(self._platform):
            await (await self.updating()).fetch_due(self._state())
        await self._improve()

    async def _improve(self) -> None:
        """Get the variants that this device can use since its browser or this page changed."""
        if when(self._state(), mandatory=False).moment is not Moment.NOW:
            return
        updated = {offer.model for offer in await offers.pending(self._platform)}
        for model in await self._library.list():
            better = await self._library.better(model.model)
            if better is not None and model.model not in updated:
                await self._opened.obtain(model.model, better.name)

    async def _look_ahead(self) -> None:
        """Open what may be wanted next, where there is power to spare."""
        if self._rested() < IDLE or not self._state().charging:
            return
        here = {model.model for model in await self._library.list()}
        await self._adaptation.look_ahead(
            {
                model["id"]: kind(model["task"])
                for model in self._site["models"]
                if model["id"] in here and model["id"] not in self._opened.models
            }
        )

    def _due(self) -> bool:
        if self._device is not None and self._device.online is False:
            return False
        hours = HOURS_BETWEEN_CHECKS * 3_600_000
        return self._checked is None or _now() - self._checked >= hours

    def _until_next(self) -> float:
        """Seconds until there may be something to do; news wake it earlier."""
        until_check = HOURS_BETWEEN_CHECKS * 3600.0
        if self._checked is not None:
            until_check -= (_now() - self._checked) / 1000
        until_idle = IDLE - self._rested()
        return max(CALM, min(until_check, until_idle) if until_idle > 0 else until_check)

    def _felt(self, device: DeviceProfile) -> None:
        """The device has changed."""
        before, self._device = self._device, device
        if device.online and before is not None and before.online is False:
            self._checked = None
        if before is None or _conditions(before) != _conditions(device):
            self.turn()
        if self._post is not None:
            self._post("device", device_facts(device))

    def _state(self) -> Conditions:
        return replace(_conditions(self._device or DeviceProfile()), rested=self._rested())

    def _rested(self) -> float:
        """Seconds since somebody wanted something."""
        return float(_now() - self._worked()) / 1000

    async def _rest(self, seconds: float) -> None:
        while (left := seconds - self._rested()) > 0:
            await asyncio.sleep(left)

    async def _mend(self) -> None:
        """Get anew what was damaged on this device, piece by piece and unasked."""
        repair = Repair(self._library, self._platform, self._opened.locate)
        for model in await self._library.list():
            if not await repair.damaged(model):
                continue
            try:
                await repair.repair(model.model)
            except satchel.SatchelError:
                continue  # when it is opened next, it says so
            await self._opened.close(model.model)

    # ---- telling

    def _changed(self, model_id: str) -> None:
        """Something stored has changed, through this tab."""
        self._platform.channel.post({"changed": model_id})
        self._beside(self._opened.settle(model_id))
        self._news.set()

    def _tell(self, model_id: str) -> None:
        """What goes on has changed, in this tab."""
        live = self.facts.live.get(model_id)
        self._platform.channel.post(
            {
                "live": model_id,
                "value": live and asdict(live),
                "checking": self.facts.checking,
            }
        )
        self._news.set()

    def _heard(self, message: dict[str, Any]) -> None:
        """Another tab tells something."""
        if "changed" in message:
            self._opened.mark(message["changed"])
            self._beside(self._opened.settle(message["changed"]))
        else:
            model_id, value = message["live"], message["value"]
            self.facts.checking = message["checking"]
            if value is not None:
                self.facts.live[model_id] = Live(**value)
                self._follow()
            else:
                self.facts.live.pop(model_id, None)
        self._news.set()

    def _follow(self) -> None:
        """Notice it when the tab that updates is gone: its lock is free then."""
        if not self._follows:
            self._follows = True
            self._beside(self._until_over())

    async def _until_over(self) -> None:
        async with self._platform.locks.share("updater"):
            self._follows = False
            self.facts.live.clear()
            self._news.set()
        self._turn.set()

    async def _tell_page(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            if self._post is not None:
                with suppress(satchel.SatchelError):  # the next news may get through
                    self._post("library", await self.facts.all())
            await asyncio.sleep(NEWS_SECONDS)

    def _beside(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._going_on.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._going_on.discard(task)
        error = None if task.cancelled() else task.exception()
        # What belongs to a model is told when that is used; the rest is a mistake of ours.
        if error is not None and not isinstance(error, satchel.SatchelError):
            sys.excepthook(type(error), error, error.__traceback__)


def _conditions(device: DeviceProfile) -> Conditions:
    """What of a device's state decides about updates."""
    return Conditions(
        online=device.online,
        metered=device.metered,
        save_data=device.save_data,
        battery_level=device.battery_level,
        charging=device.charging,
        visible=device.visible,
    )
