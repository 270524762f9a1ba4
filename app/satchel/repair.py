"""Finding what was damaged on this device, and getting just that anew."""

from __future__ import annotations

from satchel import chunks as indexes
from satchel.delivery import Delivery, Locate
from satchel.digests import verified
from satchel.errors import IntegrityError
from satchel.installed import InstalledModel
from satchel.library import Library
from satchel.manifest import Reference
from satchel.plan import Source, plan
from satchel.platform import Blob, Change, DeleteParts, Platform, PutBlob
from satchel.transfer import assemble, checked, download

__all__ = ["Repair"]


class Repair:
    """Looks after the active versions of a library.

    Args:
        library: Whose.
        platform: Its platform.
        locate: Gives the URL of a blob.
    """

    def __init__(self, library: Library, platform: Platform, locate: Locate) -> None:
        self._library = library
        self._platform = platform
        self._locate = locate
        self._delivery = Delivery(library, platform, locate)

    async def damaged(self, model: InstalledModel) -> tuple[Reference, ...]:
        """The files of the active version that are missing, or not what was installed."""
        store = self._platform.store
        found = []
        for item in model.current.references:
            blob = await store.blob(item.sha256)
            if blob is None or not await verified(blob, item):
                found.append(item)
        return tuple(found)

    async def repair(self, model_id: str) -> bool:
        """Get what is damaged of the active version: the broken chunks, not the whole file.

        Returns:
            Whether anything was.

        Raises:
            ModelNotFoundError: It is not installed.
            TransferError: It could not be had; nothing was changed.
        """
        async with self._platform.locks.hold(f"install:{model_id}"):
            model = await self._library.installed(model_id)
            changes: list[Change] = []
            for item in await self.damaged(model):
                whole = await self._anew(model, item)
                changes += [PutBlob(item.sha256, whole), DeleteParts(item.sha256)]
            if not changes:
                return False
            await self._platform.store.commit(changes)
        text = "Something of it was damaged on this device, and came anew."
        await self._library.note(model, "repaired", text)
        return True

    async def _anew(self, model: InstalledModel, item: Reference) -> Blob:
        store = self._platform.store
        chunks: tuple[indexes.Chunk, ...] = ()
        for variant in model.current.here:
            if item != variant.blob:
                continue
            index = await self._delivery.index(variant)
            chunks = indexes.readable(await index.read(), item.size) if index else ()
        damaged = await store.blob(item.sha256)
        sources = [Source(damaged, chunks)] if damaged and chunks else []
        hopeful = plan(item, chunks, sources, await store.parts(item.sha256))
        sure = await checked(self._platform, hopeful)
        await download(self._platform, self._locate(item), sure)
        whole = await assemble(self._platform, sure)
        if not await verified(whole, item):
            await store.commit([DeleteParts(item.sha256)])
            raise IntegrityError(f"{model.title} could not be repaired", todo="Try again")
        return whole
