"""CPython: files for storage, two engines for inference, Pillow for images, psutil for sensors.

The last ones come with the extra ``native``, the engine LiteRT with the extra ``litert``.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from random import Random

from satchel.platform import InferenceEngine, Slice
from satchel.platform.native.blobs import ComposedBlob, NativeBlob, blob_of
from satchel.platform.native.channel import Silence
from satchel.platform.native.clock import NativeClock
from satchel.platform.native.fetcher import NativeFetcher
from satchel.platform.native.images import PillowImages
from satchel.platform.native.litert import LiteRtNative
from satchel.platform.native.locks import FileLocks
from satchel.platform.native.ort import OrtNative
from satchel.platform.native.sensors import NativeSensors
from satchel.platform.native.store import FileStore
from satchel.settings import settings

__all__ = ["NativePlatform"]


class NativePlatform:
    """The adapters of a CPython process.

    Args:
        directory: Where models are stored; default: the configured one, else the user's cache.
    """

    name = "native"
    place = "computer"
    features = frozenset({"relaxed-simd", "shared-memory", "threads"})
    """What browsers may lack."""
    memory_gib: float | None = None
    """psutil's answer takes longer to have than it is worth here; see `sensors`."""
    signatures = None
    """securesystemslib's own keys do it, by pyca/cryptography."""

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        self._directory = directory
        self.engines: dict[str, InferenceEngine] = {"onnxruntime": OrtNative()}
        if find_spec("ai_edge_litert") is not None:
            self.engines["litert"] = LiteRtNative()
        self.fetcher = NativeFetcher()
        self.images = PillowImages()
        self.clock = NativeClock()
        self.random = Random()  # noqa: S311  # spreads retries, hides nothing
        self.channel = Silence()

    @cached_property
    def agent(self) -> str:
        build = settings().build or ""
        return " ".join([platform.platform(), platform.python_version(), build, *_engines()])

    @cached_property
    def _root(self) -> Path:
        chosen = self._directory or settings().directory
        if chosen is None:
            cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
            chosen = Path(cache) / "satchel" / (settings().scope or "default")
        return Path(chosen)

    @cached_property
    def store(self) -> FileStore:
        return FileStore(self._root)

    @cached_property
    def sensors(self) -> NativeSensors:
        return NativeSensors(self._root)

    @cached_property
    def locks(self) -> FileLocks:
        return FileLocks(self._root / "locks")

    def compose(self, slices: Sequence[Slice]) -> ComposedBlob:
        return ComposedBlob(tuple(slices))

    def blob(self, data: object) -> NativeBlob:
        return blob_of(data)


def _engines() -> Iterator[str]:
    """The packages of engines that are installed, with their versions."""
    for name in ("onnxruntime", "ai-edge-litert"):
        with suppress(metadata.PackageNotFoundError):
            yield f"{name} {metadata.version(name)}"
