"""Work that goes on beside everything else."""

import asyncio
import sys

from notes import note

__all__ = ["start"]

_running = []


def start(coroutine):
    """Run a coroutine beside everything else; what it does not handle itself is shown."""
    task = asyncio.create_task(_guarded(coroutine))
    # asyncio itself would let go of it.
    _running.append(task)


async def _guarded(coroutine):
    try:
        await coroutine
    except Exception as error:  # noqa: BLE001  # nobody else would hear of it
        sys.print_exception(error)
        text = "The page itself made a mistake: {}. Reload it to go on.".format(error)
        note("mistake", text, "bad")
    finally:
        _running[:] = [task for task in _running if task is not asyncio.current_task()]
