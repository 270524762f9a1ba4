"""How hard the engine works, for the page: what it shows of that, and what people ask of it.

The page keeps the times of its answers itself: nothing here happens for each of them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from adaptation import Adaptation, facts
from opened import Opened

import satchel
from satchel import platform as platforms
from satchel.adaptive import Latencies, decide
from satchel.adaptive.limits import BATCH_MOST
from satchel.device import DeviceProfile
from satchel.effort.kept import known

__all__ = ["Adapting"]

NEWS_SECONDS = 0.2
"""Between two tellings: with rests, each request may be decided for anew."""

HISTORY = 30
"""Changes that the page shows."""


class Adapting:
    """What the page shows of adaptation, and takes from people.

    Args:
        adaptation: What the page's operations go through.
        opened: The tasks that are open.
    """

    def __init__(self, adaptation: Adaptation, opened: Opened) -> None:
        self._adaptation = adaptation
        self._opened = opened

    async def tell(
        self, inference: satchel.AdaptiveInference, post: Callable[[str, dict[str, Any]], None]
    ) -> None:
        """Tell the page how it stands as soon as it is decided, and whenever that changes."""
        news = asyncio.Event()
        inference.listen(lambda _: news.set())
        while True:
            if (told := self._facts()) is not None:
                post("adaptive", told)
            await asyncio.sleep(NEWS_SECONDS)
            await news.wait()
            news.clear()

    async def adapt(self, override: str, priority: Any) -> dict[str, Any] | None:
        """Insist on a strategy ("": on none), and say what matters most, until told otherwise."""
        insisted: Any = override or None
        await self._adaptation.adapt(insisted, priority)
        return self._facts()

    async def suppose(self, given: str) -> dict[str, Any]:
        """What would be decided on a device that is otherwise, if nobody insisted on anything.

        Nothing is changed by it: that device has always been so, for all that is remembered of it.

        Args:
            given: JSON: values of a `DeviceProfile`, and `priority`.
        """
        values = json.loads(given)
        priority = values.pop("priority")
        platform, inference = platforms.current(), self._adaptation.inference
        task = self._opened.adaptable
        kept = await known(platform, task.runtime.name) if task else None
        device = replace(await DeviceProfile.read(), **values, battery_powered=True)
        decision, _ = decide(
            device,
            priority,
            inference.options if inference else (),
            latencies=Latencies(),
            queue=1,
            now=0.0,
            threads=kept and kept.threads,
            unit=task.unit if task else "answer",
        )
        return facts(decision)

    def _facts(self) -> dict[str, Any] | None:
        """How it stands, in plain data; None: nothing was decided yet."""
        inference = self._adaptation.inference
        if inference is None or (decision := inference.decision) is None:
            return None
        return {
            **facts(decision),
            "notes": list(decision.notes),
            "together": 1 if decision.cpu_target is None else BATCH_MOST,
            "override": inference.override,
            "priority": self._adaptation.priority,
            "history": [
                {"at": at, "strategy": one.strategy, "reason": one.reason}
                for at, one in inference.history[-HISTORY:]
            ],
        }
