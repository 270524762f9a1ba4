"""Opening a task: its model loaded into the engine, and the file that belongs to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from satchel.installed import InstalledModel
from satchel.library import Library
from satchel.platform import Platform
from satchel.runtime import EdgeRuntime

__all__ = ["opened"]


@asynccontextmanager
async def opened(
    model: str,
    file: str,
    *,
    threads: int | None,
    variant: str | None,
    platform: Platform | None,
) -> AsyncIterator[tuple[EdgeRuntime, InstalledModel, bytes]]:
    """Open an installed model, read its file while the engine loads it; close it on any error.

    Args:
        model: Its id.
        file: What the manifest calls the file.
        threads: As `EdgeRuntime` takes it.
        variant: Insist on this variant.
        platform: Where to run; None: here.

    Raises:
        ModelNotFoundError: It is not installed, or has no such file.
        WithdrawnError: No version that is here may be used any more.
    """
    library = Library(platform)
    installed = await library.usable(model)
    runtime = await library.open(installed, threads=threads, variant=variant)
    try:
        _, content = await asyncio.gather(runtime.load(), library.file(installed, file))
        yield runtime, installed, content
    except BaseException:
        await runtime.close()
        raise
