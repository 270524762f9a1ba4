"""Runs in the Pyodide that is recorded: imports what the page will need.

Of ours, only what starts the engine is imported here: a change of the engine itself must not need a
new snapshot. A test holds this list against what the engine really imports.
"""

import gc
import importlib
import sys
import zipimport
from collections.abc import Mapping
from types import ModuleType
from typing import Any

STANDARD = """
    asyncio base64 collections.abc contextlib contextvars copy dataclasses datetime enum errno
    functools hashlib heapq importlib.resources importlib.util io itertools json linecache logging
    marshal math operator os pathlib platform random re secrets string struct sys time traceback
    types typing uuid warnings weakref
"""

NUMPY = "numpy numpy.ma numpy.typing"


def prepare(standard_library: str, ours: Mapping[str, str]) -> str:
    """Import everything, and return the names of all modules that are loaded now.

    Args:
        standard_library: The archive that holds it.
        ours: Source of our own modules, by name.
    """
    importlib.invalidate_caches()
    # With ctypes, NumPy would keep handles and callbacks that no heap can hold.
    modules: dict[str, Any] = sys.modules
    modules["ctypes"] = None
    for name in NUMPY.split():
        importlib.import_module(name)
    del modules["ctypes"]
    for name in STANDARD.split():
        importlib.import_module(name)
    for name, source in ours.items():
        modules[name] = ModuleType(name)
        exec(compile(source, f"{name}.py", "exec"), vars(modules[name]))  # noqa: S102
    _use(modules["numpy"])
    sys.path.remove("")  # Pyodide puts it there at every start
    sys.stdout.flush()
    importlib.invalidate_caches()
    # What is in the archive is known from then on: nobody reads it for want of a table of contents.
    zipimport.zipimporter(standard_library)
    gc.collect()
    return " ".join(sorted(modules))


def _use(np: Any) -> None:
    """Use what imports more, or fills caches, when it is used for the first time."""
    pixels = np.zeros((2, 3), np.uint8).astype(np.float32)
    np.argsort(pixels.reshape(-1))[::-1].tolist()
    np.median(pixels)
