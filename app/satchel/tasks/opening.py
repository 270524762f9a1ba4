"""Opening a task: its model loaded into the engine, and the file that belongs to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from satchel.errors import EngineUnavailableError, UnsupportedModelError
from satchel.installed import InstalledModel
from satchel.library import Library
from satchel.manifest import Variant
from satchel.platform import Platform
from satchel.runtime import EdgeRuntime

__all__ = ["Opening", "opened"]


@dataclass(frozen=True, slots=True)
class Opening:
    """What a task is opened with.

    Attributes:
        runtime: Its model, loaded.
        variant: Which of its variants that is.
        reason: Why it is no better one: a sentence for people; empty: there is none.
        content: The file that belongs to it.
    """

    runtime: EdgeRuntime
    variant: Variant
    reason: str
    content: bytes


@asynccontextmanager
async def opened(
    model: str,
    file: str = "",
    *,
    threads: int | None = None,
    variant: str | None = None,
    platform: Platform | None = None,
) -> AsyncIterator[Opening]:
    """Open an installed model, read its file while the engine loads it; close it on any error.

    Where this device turns out to be unable to use a variant, the next one is opened.

    Args:
        model: Its id.
        file: What the manifest calls the file; empty: it has none.
        threads: As `EdgeRuntime` takes it.
        variant: This one of the variants that are here; default: the device's.
        platform: Where to run; None: here.

    Raises:
        ModelNotFoundError: It is not installed, or has no such file.
        WithdrawnError: No version that is here may be used any more.
        VariantMissingError: This device can only use a variant that is not here.
    """
    library = Library(platform)
    installed = await library.usable(model)
    while True:
        try:
            runtime, content = await _loaded(library, installed, file, threads, variant)
            break
        except (EngineUnavailableError, UnsupportedModelError):
            before, installed = installed, await library.usable(model)
            if variant is not None or installed.current.chosen == before.current.chosen:
                raise
    try:
        now = installed.current
        why = now.reason if runtime.variant == now.chosen else ""
        yield Opening(runtime, now.named(runtime.variant), why, content)
    except BaseException:
        await runtime.close()
        raise


async def _loaded(
    library: Library,
    installed: InstalledModel,
    file: str,
    threads: int | None,
    variant: str | None,
) -> tuple[EdgeRuntime, bytes]:
    runtime = await library.open(installed, threads=threads, variant=variant)
    try:
        if not file:
            return await runtime.load(), b""
        _, content = await asyncio.gather(
            runtime.load(), library.file(installed, file, variant=variant)
        )
    except BaseException:
        await runtime.close()
        raise
    return runtime, content
