"""One task in all the ways that it can be run here: its variants, each on its number of threads.

What was decided is loaded once and kept. While it is still on its way, what is loaded answers: no
request waits for a switch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, Protocol, Self, TypeVar

from numpy.typing import NDArray

from satchel.adaptive.latencies import Latencies, Work
from satchel.adaptive.option import Decision, Option
from satchel.adaptive.sentences import model_name
from satchel.effort.kept import Kept, known, usual
from satchel.effort.options import options_of, with_measured
from satchel.errors import SatchelError
from satchel.library import Library, ListedVariant
from satchel.platform import Platform
from satchel.runtime import EdgeRuntime

__all__ = ["Adaptable", "Bare", "Family", "Member"]


class Adaptable(Protocol):
    """A task that can be run in several ways."""

    unit: str
    """What one answer is about, for sentences: "photo"."""

    runtime: EdgeRuntime

    @property
    def model(self) -> str:
        """Its model's id in the library; empty: it came from elsewhere."""

    async def sibling(self, variant: str | None, threads: int) -> Self:
        """The same task in another variant that is here, on so many threads; opened and loaded."""

    def sample(self) -> Mapping[str, NDArray[Any]] | None:
        """Something to run the model on, as large as what usually comes; None: nobody knows."""

    async def close(self) -> None:
        """Give the memory back."""


class Bare:
    """A runtime of which nothing is known but that it runs."""

    unit = "answer"
    model = ""

    def __init__(self, runtime: EdgeRuntime) -> None:
        self.runtime = runtime

    async def sibling(self, variant: str | None, threads: int) -> Bare:
        """The same model on another number of threads."""
        return Bare(await self.runtime.sibling(threads).load())

    def sample(self) -> None:
        """Nobody knows what it is usually run on."""

    async def close(self) -> None:
        """Give the memory back."""
        await self.runtime.close()


T = TypeVar("T", bound=Adaptable)

Room = Callable[[Option, str, Sequence[Option]], Awaitable[None]]
"""Makes room; see `satchel.effort.memory.Memory.room`."""


@dataclass(eq=False)
class Member(Generic[T]):
    """A task in one way.

    Attributes:
        task: It.
        option: Which of the options that is.
        threads: On how many threads.
        used: When it last ran, in seconds.
        users: How many run it right now.
        rested: Whether the processor had a rest before what it runs next.
    """

    task: T
    option: Option
    threads: int
    used: float
    users: int = 0
    rested: bool = False

    @property
    def loaded(self) -> bool:
        """Whether it takes memory."""
        return self.task.runtime.loaded


class Family(Generic[T]):
    """A task and its siblings.

    Args:
        task: The task, which somebody else opened and will close.
        platform: Where it runs.
        room: Makes room before something is loaded.
        on_failure: Told of what could not be loaded in the background.

    Attributes:
        options: What there is to choose from; empty for a bare runtime.
        latencies: How long its answers took.
        kept: What earlier visits know of it, and this one found out.
        failed: Why variants could not be loaded.
    """

    def __init__(
        self,
        task: T,
        platform: Platform,
        room: Room,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self.task = task
        self.options: tuple[Option, ...] = ()
        self.latencies = Latencies()
        self.kept = Kept()
        self.failed: dict[tuple[str, int], SatchelError] = {}
        self._platform = platform
        self._room = room
        self._on_failure = on_failure
        self._members: dict[tuple[str, int], Member[T]] = {}
        self._loading: dict[tuple[str, int], asyncio.Task[Member[T]]] = {}
        self._last: Member[T] | None = None
        self._listed: tuple[ListedVariant, ...] = ()

    @property
    def name(self) -> str:
        """The model's and its version's."""
        return self.task.runtime.name

    @property
    def model(self) -> str:
        """The model's id; empty: it is not in the library, and nothing can be chosen."""
        return self.task.model

    @property
    def members(self) -> Sequence[Member[T]]:
        """All that was opened, loaded or not."""
        return tuple(self._members.values())

    async def begin(self) -> None:
        """Find out what there is to choose from, and what is known of it."""
        await self.task.runtime.load()
        if self.model:
            self.kept = await known(self._platform, self.name)
            self.latencies = self.kept.latencies
            await self.look()
        self._join(self.task, self.task.runtime.threads)

    async def look(self) -> None:
        """Look again at what there is to choose from: something may have come, or gone."""
        if self.model:
            self._listed = await Library(self._platform).variants(self.model)
            self.options = with_measured(options_of(self._listed), self.kept.seconds)

    def possible(self) -> tuple[Option, ...]:
        """The options as they were if all variants that this device can use were on it."""
        everywhere = options_of(replace(one, here=True) for one in self._listed)
        return with_measured(everywhere, self.kept.seconds)

    def usable(self) -> tuple[Option, ...]:
        """The options, without what can't be loaded."""
        broken = {variant for variant, _ in self.failed}
        return tuple(
            replace(option, available=False) if option.variant in broken else option
            for option in self.options
        )

    def take(self, decision: Decision) -> Member[T] | None:
        """What was decided, if it is loaded."""
        member = self._members.get(self._way(decision.variant, decision.threads))
        return member if member is not None and member.loaded else None

    def instead(self, decision: Decision) -> tuple[Member[T], Decision] | None:
        """What is loaded while what was decided is not, and the decision it comes to; None: none.

        What was decided is loaded meanwhile.
        """
        last = self._last
        if last is None or not last.loaded:
            return None
        if self._way(decision.variant, decision.threads) not in self.failed:
            self.prepare(decision.variant, decision.threads)
        usual = self.options[0] if self.options else last.option
        threads = "one thread" if last.threads == 1 else f"{last.threads} threads"
        what = f"{model_name(last.option, usual)} on {threads}" if self.options else threads
        return last, replace(
            decision,
            variant=last.option.variant if self.options else None,
            engine=last.option.engine if self.options else None,
            threads=last.threads,
            resolution=last.option.resolution,
            reason=f"{decision.reason} Until that is loaded, {what} answers.",
        )

    def prepare(self, variant: str | None, threads: int) -> asyncio.Task[Member[T]]:
        """Load what was decided, or might be; beside whatever goes on."""
        way = self._way(variant, threads)
        if way not in self._loading:
            task = asyncio.ensure_future(self._opened(way))
            self._loading[way] = task
            task.add_done_callback(lambda done: self._done(way, done))
        return self._loading[way]

    async def loaded(self, decision: Decision) -> Member[T]:
        """What was decided, once it is loaded.

        Raises:
            OutOfMemoryError: It does not fit; with figures.
            SatchelError: It can't be opened.
        """
        return await asyncio.shield(self.prepare(decision.variant, decision.threads))

    def use(self, member: Member[T]) -> None:
        """Remember that this one answers now."""
        self._last = member

    def learnt(self) -> Kept:
        """What is worth keeping by now."""
        return replace(self.kept, usual=usual(self.latencies))

    async def close(self) -> None:
        """Close all but the task that somebody else opened."""
        for task in self._loading.values():
            task.cancel()
        if self._loading:
            await asyncio.wait(self._loading.values())
        members, self._members = self._members, {}
        self.task.runtime.clocked = None
        for member in members.values():
            if member.task is not self.task:
                await member.task.close()

    def _way(self, variant: str | None, threads: int) -> tuple[str, int]:
        option = self.option(variant)
        known = option.variant if self.model else ""
        return known, self._platform.engines[option.engine].threads(threads)

    def option(self, variant: str | None = None) -> Option:
        """What is known of a variant; None: of the one that the task was opened in."""
        wanted = variant or self.task.runtime.variant
        for option in self.options:
            if option.variant == wanted:
                return option
        runtime = self.task.runtime
        return Option(runtime.variant or runtime.name, runtime.engine or "", None, runtime.size)

    def _join(self, task: T, threads: int) -> Member[T]:
        """Take in a task that is loaded."""
        option = self.option(task.runtime.variant)
        member = Member(task, option, threads, self._platform.clock.monotonic())
        self._members[task.runtime.variant if self.model else "", threads] = member
        task.runtime.clocked = partial(self._seen, member)
        self._last = self._last or member
        return member

    def _seen(self, member: Member[T], seconds: float, values: int) -> None:
        """Take how long a run took."""
        if member.users:  # else nobody asked for it: a probe compares by itself
            option = member.option
            # In steps of two: what is twice as large is other work.
            size, rested = values.bit_length(), member.rested
            member.rested = False
            work = Work(option.variant, option.resolution, member.threads, size, rested)
            now = self._platform.clock.monotonic()
            self.latencies = self.latencies.seen(work, 1000 * seconds, now)

    async def _opened(self, way: tuple[str, int]) -> Member[T]:
        variant, threads = way
        member = self._members.get(way)
        await self._room(self.option(variant), self.name, self.usable())
        if member is not None:
            await member.task.runtime.load()
            return member
        return self._join(await self.task.sibling(variant or None, threads), threads)

    def _done(self, way: tuple[str, int], done: asyncio.Task[Member[T]]) -> None:
        del self._loading[way]
        if not done.cancelled() and isinstance(error := done.exception(), SatchelError):
            self.failed[way] = error
            self._on_failure()
