"""What is done while nobody asks for anything: measure, get, load and keep what may be wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from satchel.adaptive.limits import THREADS_MOST
from satchel.adaptive.memory import IDLE
from satchel.adaptive.option import Option, Priority
from satchel.adaptive.selection import chosen, figure
from satchel.effort import kept, probe
from satchel.effort.family import Family
from satchel.effort.line import Line
from satchel.effort.memory import Memory
from satchel.effort.standing import Standing
from satchel.errors import SatchelError
from satchel.platform import Platform

__all__ = ["Idling", "Obtain"]

CALM = 2.0
"""Seconds without work after which nobody seems to wait for anything; as for updates."""

KEEP_EVERY = 300.0
"""Seconds between two commits of latencies that are only a little better known by now."""

Obtain = Callable[[str, str], Awaitable[object]]
"""Gets a variant onto this device: takes the model's id and the variant's name."""


class Idling:
    """The work that waits for nobody's asking.

    Args:
        platform: Where.
        standing: What is decided.
        line: Tells whether somebody asks for something.
        memory: What is loaded.
        families: The tasks.
        obtain: Gets variants; None: nobody can.
    """

    def __init__(
        self,
        platform: Platform,
        standing: Standing,
        line: Line,
        memory: Memory,
        families: Mapping[int, Family[Any]],
        obtain: Obtain | None,
    ) -> None:
        self._platform = platform
        self._clock = platform.clock.monotonic
        self._standing = standing
        self._line = line
        self._memory = memory
        self._families = families
        self._obtain = obtain
        self._worked = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._kept: dict[str, float] = {}
        self.priority: Priority = "balanced"

    def worked(self, now: float) -> None:
        """Somebody has just got an answer."""
        self._worked = now
        if self._timer is None:
            self._later(CALM)

    async def prepare(self) -> None:
        """Do all of it, as far as nobody asks for anything meanwhile."""
        for family in tuple(self._families.values()):
            if not self._line.free:
                return
            family.failed.clear()
            await family.look()
            with suppress(SatchelError):  # what can't be had is no worse than before
                await self._measure(family)
                await self._get(family)
                self._warm(family)
            await self._keep(family)
        if self._small:
            await self._memory.tidy(self._clock())

    async def close(self) -> None:
        """Do nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    @property
    def _small(self) -> bool:
        state = self._standing.state
        return state is not None and state.mode.small

    def _later(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._due)

    def _due(self) -> None:
        self._timer = None
        left = self._worked + CALM - self._clock()
        if left > 0 or not self._line.free:
            self._later(max(left, CALM / 4))
        elif self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._rest())

    async def _rest(self) -> None:
        await self.prepare()
        if self._small and self._timer is None:  # the worker is ended when it has rested for long
            self._later(IDLE)

    # ---- what there is to do

    async def _measure(self, family: Family[Any]) -> None:
        """How many threads are best, and what variants take whose reports don't say it."""
        decision = self._standing.decision
        if decision is None or not decision.ahead or family.task.sample() is None:
            return
        if family.kept.threads is None:
            await self._measure_threads(family)
        unknown = [
            option.variant
            for option in family.options
            if option.available and not figure(option.cpu_seconds)
        ]
        for variant in unknown:
            if self._line.free and variant not in family.kept.seconds:
                took = await self._took(family, variant, 1)
                self._found(family, seconds={**family.kept.seconds, variant: took})
        await family.look()

    async def _measure_threads(self, family: Family[Any]) -> None:
        runtime = family.task.runtime
        most = self._platform.engines[runtime.engine].threads(THREADS_MOST)
        cores = self._standing.profile.cpu_cores
        tried = probe.candidates(min(most, cores or most))
        took = {}
        for threads in tried if len(tried) > 1 else ():
            if not self._line.free:
                return
            took[threads] = await self._took(family, runtime.variant, threads)
        found = probe.best(took) if took else 1
        self._found(family, threads=found, seconds={runtime.variant: took[1]} if took else {})
        self._standing.changed()

    async def _took(self, family: Family[Any], variant: str, threads: int) -> float:
        """Seconds of one answer; what was loaded for it goes again."""
        await self._memory.room(family.option(variant), family.name)
        task = await family.task.sibling(variant or None, threads)
        try:
            return await probe.measured(task.runtime, task.sample(), self._clock)
        finally:
            await task.close()
            await self._memory.give_back()

    def _found(self, family: Family[Any], **found: Any) -> None:
        family.kept = replace(family.kept, **found)
        self._kept.pop(family.name, None)

    async def _get(self, family: Family[Any]) -> None:
        """Get the lighter variants, so that they are here when they are wanted."""
        decision = self._standing.decision
        if self._obtain is None or decision is None or not decision.downloads:
            return
        if self._standing.profile.visible is False:
            return
        possible = family.possible()
        here = {option.variant for option in family.options if option.available}
        for priority in dict.fromkeys((self.priority, "balanced", "energy")):
            wanted = self._lighter(possible, priority)
            if wanted is not None and wanted.variant not in here and self._line.free:
                await self._obtain(family.model, wanted.variant)
                here.add(wanted.variant)
        await family.look()

    def _warm(self, family: Family[Any]) -> None:
        """Load what a switch would need, where one is likely."""
        decision, profile = self._standing.decision, self._standing.profile
        if decision is None or not decision.ahead or self._memory.budget is not None:
            return
        if profile.pressure == "fair":
            family.prepare(decision.variant, 1)
        if profile.battery_level is not None and profile.charging is False:
            wanted = self._lighter(family.usable(), self.priority)
            if wanted is not None:
                family.prepare(wanted.variant, 1)

    def _lighter(self, options: tuple[Option, ...], priority: Priority) -> Option | None:
        choice = chosen(options, priority, lighter=True, budget=self._memory.budget)
        return choice.option if choice else None

    async def _keep(self, family: Family[Any]) -> None:
        """Keep what is known by now; seldom, where it has hardly changed."""
        if not family.model:
            return
        now = self._clock()
        if now - self._kept.get(family.name, -KEEP_EVERY) >= KEEP_EVERY:
            self._kept[family.name] = now
            await kept.keep(self._platform, family.name, family.learnt())
