"""The page's `AdaptiveInference`: what its operations go through, from the first answer on.

Until then they run as they are: nothing of adaptation is on the way to the first answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

from opened import Opened

import satchel

if TYPE_CHECKING:
    from satchel.adaptive import Decision, Override, Priority

__all__ = ["Adaptation", "facts"]

Task = TypeVar("Task")


class Adaptation:
    """How hard the page works.

    Args:
        opened: The tasks that are open.

    Attributes:
        inference: What carries it out; None: nothing was answered yet.
        on_begin: Called once it is there.
    """

    def __init__(self, opened: Opened) -> None:
        self.inference: satchel.AdaptiveInference | None = None
        self.on_begin: Callable[[satchel.AdaptiveInference], None] = lambda _: None
        self._opened = opened
        self._priority: Priority = "balanced"
        self._beginning: asyncio.Task[None] | None = None

    @property
    def priority(self) -> Priority:
        """What matters most to the person: "speed", "balanced", "quality" or "energy"."""
        return self._priority

    def begin(self) -> None:
        """Begin, unless that has been done: somebody has an answer, or nobody asks for one."""
        if self._beginning is None:
            self._beginning = asyncio.ensure_future(self._begin())

    async def perform(
        self,
        task: Task,
        work: Callable[[Task], Awaitable[dict[str, Any]]],
        key: Hashable = None,
    ) -> dict[str, Any]:
        """Do some work as it is decided.

        Args:
            task: An open task.
            work: What is done with it, or with a sibling of it.
            key: See `satchel.AdaptiveInference.run`.

        Returns:
            What the work gave, and the `decision` that made it: see `facts`; None: nothing has been
            decided yet.
        """
        if self.inference is None:
            return await work(task) | {"decision": None}
        kind: Any = task
        result = await self.inference.perform(kind, work, priority=self._priority, key=key)
        return result.value | {"decision": facts(result.decision)}

    async def adapt(self, override: Override | None, priority: Priority) -> None:
        """Work as the person wants it from now on.

        Args:
            override: What to insist on; None: the device's state decides.
            priority: What matters most.
        """
        self._priority = priority
        self.begin()
        assert self._beginning is not None
        await asyncio.shield(self._beginning)
        assert self.inference is not None
        self.inference.override = override
        await self._consider(self.inference)

    async def look_ahead(self, others: dict[str, type[Any]]) -> None:
        """Open a model that is likely to be wanted next, if the device has all that takes.

        Args:
            others: What models do that are on this device and not open, by their ids.
        """
        if self.inference is None or not self.inference.spares:
            return
        for model_id, kind in others.items():
            await self._opened.task(kind, model_id)
            return

    async def _begin(self) -> None:
        inference = satchel.AdaptiveInference(obtain=self._opened.obtain)
        await inference.begin()  # sensors may take a while, and nobody shall wait for that
        await self._consider(inference)
        self._opened.on_close = inference.release
        self._opened.admit = self._admit
        self.inference = inference
        self.on_begin(inference)

    async def _consider(self, inference: satchel.AdaptiveInference) -> None:
        """Decide although nobody asks: people see at once what would be done."""
        task = self._opened.adaptable
        if task is not None:
            await inference.consider(task, self._priority)

    async def _admit(self, model_id: str) -> str | None:
        assert self.inference is not None
        return await self.inference.admit(model_id, self._priority)


def facts(decision: Decision) -> dict[str, Any]:
    """A decision in plain data."""
    return {
        "strategy": decision.strategy,
        "variant": decision.variant,
        "engine": decision.engine,
        "threads": decision.threads,
        "batch": decision.batch,
        "delay": decision.delay,
        "resolution": decision.resolution,
        "reason": decision.reason,
        "extras": decision.extras,
    }
