"""Who is loaded, and who makes room: carries out what `satchel.adaptive.memory` decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from satchel.adaptive.memory import Loaded, Refused, idle, room
from satchel.adaptive.option import Option
from satchel.adaptive.selection import footprint
from satchel.effort.family import Family, Member
from satchel.errors import OutOfMemoryError
from satchel.platform import Platform

__all__ = ["Memory"]


class Memory:
    """All that is loaded for answers.

    Args:
        platform: Whose engines hold it.
        families: Whose members it is.

    Attributes:
        budget: Bytes that all of it may take together; None: no limit is known.
    """

    def __init__(self, platform: Platform, families: Mapping[int, Family[Any]]) -> None:
        self.budget: int | None = None
        self._platform = platform
        self._families = families

    async def room(self, wanted: Option, name: str, options: Sequence[Option] = ()) -> None:
        """Make room for a model.

        Args:
            wanted: Which variant of it.
            name: The model's.
            options: What else of it could be loaded.

        Raises:
            OutOfMemoryError: There is none, whatever is released; with figures.
        """
        loaded = self._loaded()
        answer = room(
            wanted,
            [one for one, _ in loaded],
            self.budget,
            name=name,
            options=options,
        )
        if isinstance(answer, Refused):
            raise OutOfMemoryError(answer.what, why=answer.why, todo=answer.todo)
        for one, member in loaded:
            if any(one is going for going in answer.sessions):
                await member.task.runtime.unload()
        if answer.sessions:
            await self.give_back()

    async def tidy(self, now: float) -> None:
        """Release what is not in use: all but the last that answered, and after a while that too.

        An engine's worker is ended where nothing is left in it; the next run starts it again.
        """
        loaded = self._loaded()
        over = idle([one for one, _ in loaded], now)
        newest = max((one.used for one, _ in loaded), default=0.0)
        for one, member in loaded:
            if not one.busy and (over or one.used < newest):
                await member.task.runtime.unload()
        await self.give_back()

    async def give_back(self) -> None:
        """Let engines end what nothing is loaded in any more."""
        for engine in self._platform.engines.values():
            await engine.rest()

    def _loaded(self) -> list[tuple[Loaded, Member[Any]]]:
        return [
            (
                Loaded(family.name, footprint(member.option), member.used, busy=member.users > 0),
                member,
            )
            for family in self._families.values()
            for member in family.members
            if member.loaded
        ]
