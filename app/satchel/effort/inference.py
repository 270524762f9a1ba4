"""AdaptiveInference: the right effort for the device's state, and a reason for people."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, overload

from numpy.typing import ArrayLike, NDArray

from satchel import platform as platforms
from satchel.adaptive import Decision, Latencies, Option, Override, Priority, decide
from satchel.adaptive.conditions import model_budget
from satchel.adaptive.selection import chosen
from satchel.device import DeviceProfile
from satchel.effort.family import Adaptable, Bare, Family, Member
from satchel.effort.idling import Idling, Obtain
from satchel.effort.line import Line
from satchel.effort.memory import Memory
from satchel.effort.options import options_of
from satchel.effort.standing import Standing
from satchel.library import Library
from satchel.platform import Platform
from satchel.runtime import EdgeRuntime

__all__ = ["AdaptiveInference", "Result"]

T = TypeVar("T", bound=Adaptable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Result(Generic[V]):
    """An answer, and how it came about.

    Attributes:
        value: What the task gave.
        decision: The decision that made it: strategy, variant, threads, …, and the reason.
    """

    value: V
    decision: Decision


class AdaptiveInference:
    """Runs tasks and models with as much effort as the device's state asks for.

    One for all that a page or program runs: what waits is run one after the other, since it is one
    device that gets warm. Battery, pressure, memory, priorities and how long answers take decide
    which variant of a model answers, on how many threads, and how much rest there is in between;
    docs/adaptation.md has the table.

    Args:
        profile: The device's state, for good; None: the device is followed.
        platform: Where to run; default: here.
        override: What to insist on, whatever the device's state: see `override`.
        obtain: Gets a variant of a model onto this device, by the model's id and the variant's
            name, in idle time; None: what is here is all there is.

    Example::

        adaptive = satchel.AdaptiveInference()
        label = await satchel.tasks.Label.open()
        result = await adaptive.run(label, image, priority="balanced")
        print(result.value[0].label, "-", result.decision.reason)
    """

    def __init__(
        self,
        profile: DeviceProfile | None = None,
        *,
        platform: Platform | None = None,
        override: Override | None = None,
        obtain: Obtain | None = None,
    ) -> None:
        self._platform = platform or platforms.current()
        self._clock = self._platform.clock.monotonic
        self._standing = Standing(profile, self._platform, override, self._decided_anew)
        self._line = Line(self._clock)
        self._families: dict[int, Family[Any]] = {}
        self._beginning: dict[int, asyncio.Task[None]] = {}
        self._current: tuple[Family[Any], Priority] | None = None
        self._memory = Memory(self._platform, self._families)
        self._idling = Idling(
            self._platform, self._standing, self._line, self._memory, self._families, obtain
        )

    async def begin(self) -> None:
        """Know the device's state, as the first call of any other method does by itself."""
        await self._standing.begin()
        if self._standing.state is None:
            self._memory.budget = model_budget(self._standing.profile)

    # ---- running

    async def run(
        self,
        task: Any,
        x: Any,
        *args: Any,
        priority: Priority = "balanced",
        key: Hashable = None,
        within: float | None = None,
    ) -> Result[Any]:
        """Let a task answer, as it is decided.

        Requests wait for their turn; when many do, whoever asks for more waits until there is room.

        Args:
            task: A task of `satchel.tasks`, opened.
            x: What it is given.
            args: What else it is given.
            priority: What matters: "speed", "balanced", "quality" or "energy".
            key: Names what only the newest request of is of use, such as a camera: an older one
                that still waits is given up for this one.
            within: Seconds within which it shall be run, also where the processor ought to rest.

        Raises:
            SupersededError: A newer request with the same key took this one's place.
            OutOfMemoryError: Nothing of it fits into the device's memory; with figures.
            SatchelError: What the task raised.
        """
        return await self.perform(
            task, lambda member: member(x, *args), priority=priority, key=key, within=within
        )

    @overload
    async def infer(
        self, runtime: EdgeRuntime, x: Mapping[str, ArrayLike], priority: Priority = ...
    ) -> dict[str, NDArray[Any]]: ...
    @overload
    async def infer(
        self, runtime: EdgeRuntime, x: ArrayLike, priority: Priority = ...
    ) -> NDArray[Any]: ...
    async def infer(
        self,
        runtime: EdgeRuntime,
        x: ArrayLike | Mapping[str, ArrayLike],
        priority: Priority = "balanced",
    ) -> NDArray[Any] | dict[str, NDArray[Any]]:
        """Run a bare model: only threads and pace are decided; `decision` tells how.

        Args:
            runtime: The model.
            x: As `EdgeRuntime.infer` takes it.
            priority: What matters.

        Raises:
            OutOfMemoryError: It does not fit into the device's memory; with figures.
            SatchelError: What `EdgeRuntime.infer` raises.
        """
        bare = self._bare(runtime)
        result: Result[Any] = await self.perform(
            bare, lambda task: task.runtime.infer(x), priority=priority
        )
        answer: NDArray[Any] | dict[str, NDArray[Any]] = result.value
        return answer

    async def perform(
        self,
        task: T,
        work: Callable[[T], Awaitable[V]],
        *,
        priority: Priority = "balanced",
        key: Hashable = None,
        within: float | None = None,
    ) -> Result[V]:
        """Do some work with a task, or with a sibling of it; see `run`.

        Args:
            task: The task.
            work: What is done: takes the task in the variant that was decided, and on its threads.
            priority: What matters.
            key: See `run`.
            within: See `run`.
        """
        family = self._families.get(id(task))
        if family is None or id(task) in self._beginning:
            family = await self._family(task)
        await self._line.enter(key, within)
        began, member = self._clock(), None
        try:
            member, decision = await self._member(family, priority, began)
            member.users += 1
            member.rested = self._line.rested
            value = await work(member.task)
        finally:
            now = self._clock()
            if member is not None:
                member.users -= 1
                member.used = now
            self._line.leave(now - began, now, threads=member.threads if member else 1)
            self._idling.worked(now)
        return Result(value, decision)

    async def consider(self, task: Any, priority: Priority = "balanced") -> Decision:
        """Decide how a task would be run now, without running it."""
        return self._decide(await self._family(task), priority, self._clock())

    async def admit(self, model: str, priority: Priority = "balanced") -> str | None:
        """Make room for a model of the library that is about to be opened.

        Args:
            model: Its id.
            priority: What matters.

        Returns:
            Which of its variants to open; None: the one in use.

        Raises:
            OutOfMemoryError: None of them fits into the device's memory; with figures.
        """
        await self.begin()
        if self._memory.budget is None:
            return None
        options = options_of(await Library(self._platform).variants(model))
        choice = chosen(options, priority, lighter=True, budget=self._memory.budget)
        if choice is None:
            return None
        await self._memory.room(choice.option, model, options)
        return choice.option.variant

    # ---- what is known

    @property
    def profile(self) -> DeviceProfile:
        """The device's state, as it was last heard of."""
        return self._standing.profile

    @property
    def decision(self) -> Decision | None:
        """What is decided right now for what ran last; None: nothing ran yet."""
        return self._standing.decision

    @property
    def history(self) -> tuple[tuple[str, Decision], ...]:
        """Each change of strategy or variant: when (UTC in ISO 8601), and to what; newest last."""
        return tuple(self._standing.history)

    @property
    def latencies(self) -> Latencies:
        """How long answers of what ran last took, by kind of work."""
        return self._current[0].latencies if self._current else Latencies()

    @property
    def spares(self) -> bool:
        """Whether there is all that it takes to prepare what nobody has asked for."""
        decision = self.decision
        ahead = decision is not None and decision.ahead and self._line.free
        return ahead and self._memory.budget is None

    @property
    def options(self) -> tuple[Option, ...]:
        """What there is to choose from for what ran last."""
        return self._current[0].usable() if self._current else ()

    @property
    def override(self) -> Override | None:
        """What is insisted on: "full", "lightweight", "throttled"; None: the device is followed."""
        return self._standing.override

    @override.setter
    def override(self, wanted: Override | None) -> None:
        self._standing.insist(wanted)

    def listen(self, listener: Callable[[Decision], None]) -> Callable[[], None]:
        """Call a function with each decision that differs from the one before; returns its end."""
        return self._standing.listen(listener)

    # ---- beside

    async def prepare(self) -> None:
        """Do now what is otherwise done in idle time: measure, get and load what may be wanted."""
        await self._idling.prepare()

    async def release(self, task: Any) -> None:
        """Let go of a task that is about to be closed, with its siblings."""
        for family in tuple(self._families.values()):
            if task in (family.task, family.task.runtime):
                del self._families[id(family.task)]
                if self._current is not None and self._current[0] is family:
                    self._current = None
                await family.close()

    async def close(self) -> None:
        """Follow the device no more, and give back what was loaded beside the tasks."""
        self._standing.close()
        await self._idling.close()
        for family in list(self._families.values()):
            await self.release(family.task)

    # ---- deciding

    async def _family(self, task: T) -> Family[T]:
        await self.begin()
        family: Family[T] | None = self._families.get(id(task))
        if family is None:
            for other in tuple(self._families.values()):
                if other.task.runtime.closed:
                    await self.release(other.task)
            family = Family(task, self._platform, self._memory.room, self._standing.changed)
            self._families[id(task)] = family
            self._beginning[id(task)] = asyncio.ensure_future(self._begun(family))
        if (beginning := self._beginning.get(id(task))) is not None:
            await asyncio.shield(beginning)
        return family

    async def _begun(self, family: Family[Any]) -> None:
        try:
            if not family.task.runtime.loaded:
                await self._memory.room(family.option(), family.name)
            await family.begin()
        except BaseException:
            self._families.pop(id(family.task), None)
            raise
        finally:
            del self._beginning[id(family.task)]

    def _bare(self, runtime: EdgeRuntime) -> Bare:
        for family in self._families.values():
            if isinstance(family.task, Bare) and family.task.runtime is runtime:
                return family.task
        return Bare(runtime)

    async def _member(
        self, family: Family[T], priority: Priority, now: float
    ) -> tuple[Member[T], Decision]:
        """Who is to answer, and by which decision."""
        decision = self._decide(family, priority, now)
        member = family.take(decision)
        if member is None:
            instead = family.instead(decision)
            if instead is not None:
                return instead
            member = await family.loaded(decision)
        family.use(member)
        if member.threads != decision.threads:  # the engine can't use as many
            decision = replace(decision, threads=member.threads)
        return member, decision

    def _decide(self, family: Family[Any], priority: Priority, now: float) -> Decision:
        standing, waiting = self._standing, self._line.waiting + 1
        if self._current is None or self._current[0] is not family or self._current[1] != priority:
            self._current = family, priority
            self._idling.priority = priority
            standing.changed()
        return standing.counts(waiting, now) or self._decided(waiting, now)

    def _decided(self, waiting: int, now: float) -> Decision:
        assert self._current is not None
        family, priority = self._current
        standing = self._standing
        decision, state = decide(
            standing.profile,
            priority,
            family.usable(),
            latencies=family.latencies.rested(now),
            queue=waiting,
            override=standing.override,
            before=standing.state,
            now=now,
            threads=family.kept.threads,
            own=self._line.use.lately(now),
            unit=family.task.unit,
        )
        self._memory.budget = state.mode.budget
        standing.take(decision, state, now)
        self._line.paced(decision.batch, decision.cpu_target)
        return decision

    def _decided_anew(self) -> None:
        """The device, or what is insisted on, has changed while nobody asked for anything."""
        if self._current is not None:
            self._decided(max(1, self._line.waiting), self._clock())
