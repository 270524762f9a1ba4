"""The browser: a page or worker with Pyodide in it. The only part of Satchel that imports ``js``.

The `.mjs` files are the JavaScript that the platform demands: `host`, and for inference workers
`inference` (onnxruntime-web) and `litert` (LiteRT.js) with what they share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

import js

from satchel.platform import InferenceEngine, Signatures, Slice
from satchel.platform.browser.blobs import BrowserBlob, blob_of, composed
from satchel.platform.browser.channel import Broadcast
from satchel.platform.browser.clock import BrowserClock
from satchel.platform.browser.fetcher import BrowserFetcher
from satchel.platform.browser.host import features
from satchel.platform.browser.images import BrowserImages
from satchel.platform.browser.locks import WebLocks
from satchel.platform.browser.ort import OrtWeb
from satchel.platform.browser.scope import scope
from satchel.platform.browser.store import IndexedDbStore
from satchel.settings import settings

if TYPE_CHECKING:
    from satchel.platform.browser.sensors import BrowserSensors

__all__ = ["BrowserPlatform"]


class Engines(Mapping[str, InferenceEngine]):
    """The engines whose place is known, each made when it is asked for."""

    def __init__(self) -> None:
        self._made: dict[str, InferenceEngine] = {}

    @property
    def _names(self) -> tuple[str, ...]:
        # onnxruntime: the page may have brought it along, and its own error says how to name it.
        return ("onnxruntime",) if settings().litert_url is None else ("onnxruntime", "litert")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, name: str) -> InferenceEngine:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = _litert() if name == "litert" else OrtWeb()
        return self._made[name]


def _litert() -> InferenceEngine:
    from satchel.platform.browser.litert import LiteRtWeb

    return LiteRtWeb()


class BrowserPlatform:
    """The adapters of a page or worker."""

    name = "browser"
    place = "browser"

    def __init__(self) -> None:
        self.engines: Mapping[str, InferenceEngine] = Engines()
        self.fetcher = BrowserFetcher()
        self.images = BrowserImages()
        self.clock = BrowserClock()

    @property
    def features(self) -> frozenset[str]:
        return features()

    @property
    def agent(self) -> str:
        chosen = settings()
        said = (js.navigator.userAgent, chosen.ort_url, chosen.litert_url, chosen.build)
        return " ".join(map(str, said))

    @cached_property
    def memory_gib(self) -> float | None:
        said = getattr(js.navigator, "deviceMemory", None)
        return float(said) if isinstance(said, int | float) else None

    @cached_property
    def signatures(self) -> Signatures:
        # Only updates need it: in our page it comes with what they need.
        from satchel.platform.browser.signatures import WebCryptoSignatures

        return WebCryptoSignatures()

    @cached_property
    def store(self) -> IndexedDbStore:
        return IndexedDbStore(f"satchel:{scope()}")

    @cached_property
    def locks(self) -> WebLocks:
        return WebLocks(f"satchel:{scope()}:")

    @cached_property
    def channel(self) -> Broadcast:
        return Broadcast(f"satchel:{scope()}")

    @cached_property
    def sensors(self) -> BrowserSensors:
        # They begin after the first answer, if at all.
        from satchel.platform.browser.sensors import BrowserSensors

        return BrowserSensors()

    @cached_property
    def random(self) -> Random:
        return Random()  # noqa: S311  # spreads retries, hides nothing

    def compose(self, slices: Sequence[Slice]) -> BrowserBlob:
        return composed(slices)

    def blob(self, data: object) -> BrowserBlob:
        return blob_of(data)
