"""The tasks that are open, each with the active version of its model, some in several variants.

When a model's active version changes, what is under way is finished with the version that it began
with, and what comes next gets the new one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import satchel
from satchel import platform as platforms
from satchel.library import Library
from satchel.manifest import Reference

if TYPE_CHECKING:
    from tensorpanel import Tensors

    from satchel.tasks import Embed, Label

__all__ = ["Opened", "kind", "named"]

T = TypeVar("T")
Task = TypeVar("Task", "Label", "Embed", "Tensors")


def kind(task: str) -> type[Label] | type[Embed] | type[Tensors]:
    """What does a task."""
    if task == "tensors":
        from tensorpanel import Tensors  # there for a site that has such a model

        return Tensors
    from satchel import tasks

    return getattr(tasks, {"label": "Label", "embed": "Embed"}[task])


class Opened:
    """Opens tasks when they are needed, and again when their model has changed.

    Args:
        locate: Gives the URL of a blob, for what was damaged here.

    Attributes:
        on_change: Told of a model that was changed through this tab.
        on_close: Told of a task before it is closed.
        admit: Makes room for a model that is about to be opened, and says in which variant; None:
            in the one in use.
    """

    def __init__(self, locate: Callable[[Reference], str]) -> None:
        self.library = Library(changed=self.changed)
        self.locate = locate
        # By model and variant; None: the variant in use, which may become another one.
        self._tasks: dict[tuple[str, str | None], Any] = {}
        self._users: Counter[int] = Counter()
        self._stale: set[str] = set()
        self._opening = asyncio.Lock()
        self.on_change: Callable[[str], None] = lambda _: None
        self.on_close: Callable[[Any], Awaitable[None]] = _nothing
        self.admit: Callable[[str], Awaitable[str | None]] = _nothing

    def changed(self, model_id: str) -> None:
        """Hear that what is stored of a model has changed through this tab."""
        self.mark(model_id)
        self.on_change(model_id)

    def mark(self, model_id: str) -> None:
        """Look at a model's record before its task is used again."""
        self._stale.add(model_id)

    @property
    def adaptable(self) -> Label | Embed | None:
        """An open task that can be run in several ways."""
        for task in self._tasks.values():
            if hasattr(task, "sibling"):
                return task
        return None

    @property
    def models(self) -> tuple[str, ...]:
        """Ids of the models whose tasks are open."""
        return tuple({model_id: None for model_id, _ in self._tasks})

    async def use(
        self,
        kind: type[Task],
        model_id: str,
        work: Callable[[Task], Awaitable[T]],
        variant: str | None = None,
    ) -> T:
        """Do some work with a task; once more, if its model was rolled back in the meantime.

        Raises:
            SatchelError: What the work raised.
        """
        task = await self.task(kind, model_id, variant)
        try:
            answer = await self._with(task, work)
        except (satchel.InferenceError, satchel.ModelError, satchel.IntegrityError):
            again = await self.task(kind, model_id, variant)
            if again is task:
                raise
        else:
            if model_id not in self._stale:
                return answer
            again = await self.task(kind, model_id, variant)
            if again is task:
                return answer
        return await self._with(again, work)

    async def task(self, kind: type[Task], model_id: str, variant: str | None = None) -> Task:
        """A task with the active version of its model, in a variant that is here.

        Raises:
            ModelNotFoundError: The model is not here, or not in that variant.
            WithdrawnError: No version of it that is here may be used.
            IntegrityError: It is damaged, and can neither be mended nor left for another version.
        """
        if model_id in self._stale:
            await self.settle(model_id)
        key = model_id, variant
        if key not in self._tasks:
            async with self._opening:
                if key not in self._tasks:
                    self._tasks[key] = await self._open(kind, model_id, variant)
        task: Task = self._tasks[key]
        return task

    async def settle(self, model_id: str) -> None:
        """Open a task again if its model's active version is another one now, or must be."""
        async with self._opening:
            self._stale.discard(model_id)
            olds = self._of(model_id)
            if not olds:
                return
            try:
                model = await self.library.usable(model_id)
            except (
                satchel.ModelNotFoundError,
                satchel.VariantMissingError,
                satchel.WithdrawnError,
            ):
                left = olds  # who needs them next hears why
            else:
                version, chosen = str(model.active), model.current.chosen
                left = {
                    key: task
                    for key, task in olds.items()
                    if named(task)["version"] != version
                    or task.runtime.variant != (key[1] or chosen)
                }
            used = left.get((model_id, None)) if left is not olds else None
            again = await self._open(type(used), model_id, None) if used else None
            for key in left:
                del self._tasks[key]
            if again:
                self._tasks[model_id, None] = again
        await self._closed(left.values())

    async def obtain(self, model_id: str, variant: str) -> None:
        """Have one more variant of an installed model here, beside the one in use.

        Raises:
            SatchelError: What `satchel.installer.Installer.add_variant` raises.
        """
        from satchel.installer import Installer  # seldom needed, as is what mends

        installer = Installer(self.library, platforms.current(), self.locate)
        await installer.add_variant(model_id, variant)

    async def close(self, model_id: str) -> None:
        """Close a model's tasks, once nobody uses them; who needs them next opens them anew."""
        async with self._opening:
            olds = self._of(model_id)
            for key in olds:
                del self._tasks[key]
        await self._closed(olds.values())

    def _of(self, model_id: str) -> dict[tuple[str, str | None], Any]:
        return {key: task for key, task in self._tasks.items() if key[0] == model_id}

    async def _closed(self, tasks: Iterable[Any]) -> None:
        for task in tasks:
            if not self._users[id(task)]:
                await self._shut(task)

    async def _shut(self, task: Any) -> None:
        await self.on_close(task)
        await task.close()

    async def _with(self, task: Task, work: Callable[[Task], Awaitable[T]]) -> T:
        self._users[id(task)] += 1
        try:
            return await work(task)
        finally:
            self._users[id(task)] -= 1
            if not self._users[id(task)]:
                del self._users[id(task)]
                if task not in self._tasks.values():
                    await self._shut(task)

    async def _open(self, kind: type[Task], model_id: str, variant: str | None) -> Task:
        try:
            return await self._in_a_variant(kind, model_id, variant)
        except satchel.IntegrityError as error:
            await self._mend(model_id, error)
        return await self._in_a_variant(kind, model_id, variant)

    async def _in_a_variant(self, kind: type[Task], model_id: str, variant: str | None) -> Task:
        """Open a task in a variant that this device can use; such a one is fetched if need be."""
        variant = variant or await self.admit(model_id)
        fetched: set[str] = set()
        while True:
            try:
                return await kind.open(model_id, variant=variant)
            except satchel.VariantMissingError as error:
                if error.variant in fetched:
                    raise
                await self._fetch(error)
                fetched.add(error.variant)

    async def _fetch(self, missing: satchel.VariantMissingError) -> None:
        """Get the variant that this device can use.

        Raises:
            VariantMissingError: It can't be had now.
            SatchelError: It does not work here, either.
        """
        try:
            await self.obtain(missing.model, missing.variant)
        except satchel.TransferError as error:
            if not await self._pardoned(missing.model):
                raise missing from error

    async def _pardoned(self, model_id: str) -> bool:
        """Whether what ended the page once is tried again, since nothing else can be had."""
        from satchel import unfit

        pardoned = False
        for listed in await self.library.variants(model_id):
            if listed.here and listed.against.endswith(unfit.ENDED):
                await unfit.forgotten(platforms.current(), listed.variant)
                pardoned = True
        return pardoned

    async def _mend(self, model_id: str, damage: satchel.IntegrityError) -> None:
        """Get what is broken anew, or else go back to the version before."""
        from satchel.repair import Repair

        try:
            await Repair(self.library, platforms.current(), self.locate).repair(model_id)
        except satchel.TransferError:
            try:
                await self.library.fall_back(model_id, "{before} was damaged on this device.")
            except satchel.LibraryError:
                raise damage from None


async def _nothing(_: Any) -> None:
    """What is told where nobody wants to know."""


def named(task: Label | Embed | Tensors) -> dict[str, str]:
    """A task's model and its version."""
    model, _, version = task.runtime.name.rpartition(" ")
    return {"id": model, "version": version}
