"""What must be of this session, when Python was started from a memory snapshot.

A snapshot was made once, on the machine that built the page: what Python took from its surroundings
then is taken again here. String hashes can't be: their seed lies in every dict and set.
"""

from __future__ import annotations

import _locale
import importlib
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["begin"]


_YEAR = (365 * 24 + 6) * 60 * 60
"""Seconds, as CPython's own `time` counts them."""


def begin(environment: Sequence[str], numpy_files: Callable[[], Any]) -> None:
    """Take this session's environment, locale, clock and randomness.

    Args:
        environment: "NAME=value" for each variable of the environment.
        numpy_files: Gives the archive of NumPy's files, at once.
    """
    _refresh_environment(environment)
    _refresh_clock()
    _refresh_randomness()
    sys.meta_path.append(_RestOfNumpy(numpy_files))


def _refresh_environment(environment: Sequence[str]) -> None:
    # The recorder's has the same names; what Pyodide adds at every start is there already.
    for line in environment:
        name, _, value = line.partition("=")
        os.environ[name] = value
    _locale.setlocale(_locale.LC_CTYPE, "")  # as Python does when it starts


def _refresh_clock() -> None:
    # `localtime` asks the browser each time; these are what `time` computes when it is imported.
    start = int(time.time()) // _YEAR * _YEAR
    seasons = time.localtime(start), time.localtime(start + _YEAR // 2)
    standard, summer = sorted(seasons, key=lambda moment: moment.tm_gmtoff)
    time.timezone, time.altzone = -standard.tm_gmtoff, -summer.tm_gmtoff
    time.tzname = (standard.tm_zone, summer.tm_zone)
    time.daylight = int(standard.tm_gmtoff != summer.tm_gmtoff)
    if logging := sys.modules.get("logging"):
        logging._startTime = time.time_ns()  # type: ignore[attr-defined]


def _refresh_randomness() -> None:
    # `secrets`, `os.urandom` and `uuid.uuid4` ask the browser each time and need nothing.
    if random := sys.modules.get("random"):
        random.seed()
    if uuid := sys.modules.get("uuid"):
        for name in ("_node", "_last_timestamp", "_last_timestamp_v7"):
            if hasattr(uuid, name):
                setattr(uuid, name, None)
    if tempfile := sys.modules.get("tempfile"):
        tempfile._name_sequence = None  # type: ignore[attr-defined]


class _RestOfNumpy:
    """Finds the parts of NumPy that no snapshot holds: unpacks its files when one is asked for."""

    def __init__(self, files: Callable[[], Any]) -> None:
        self._files = files

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith("numpy.") or self not in sys.meta_path:
            return None
        import io
        import zipfile

        import numpy as np

        try:
            files = io.BytesIO(self._files().to_py())
        except Exception as error:  # JavaScript's; the next import tries again
            raise ImportError(f"{name} could not be fetched: {error}", name=name) from error
        sys.meta_path.remove(self)
        place = os.path.dirname(os.path.dirname(np.__file__))  # noqa: PTH120
        with zipfile.ZipFile(files) as archive:
            archive.extractall(place)
        # Not importlib.invalidate_caches(): the standard library would be fetched to be read anew.
        for folder, finder in sys.path_importer_cache.items():
            if folder.startswith(place) and finder:
                finder.invalidate_caches()
        return importlib.util.find_spec(name)
