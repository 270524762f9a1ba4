"""The browser: a page or worker with Pyodide in it. The only part of Satchel that imports ``js``.

`host.mjs` and `inference.mjs` are the JavaScript that the platform demands.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

import js
from pyodide.ffi import to_js

from satchel.platform import InferenceEngine, Signatures, Slice
from satchel.platform.browser.blobs import BrowserBlob, blob_of, composed
from satchel.platform.browser.channel import Broadcast
from satchel.platform.browser.clock import BrowserClock
from satchel.platform.browser.fetcher import BrowserFetcher
from satchel.platform.browser.images import BrowserImages
from satchel.platform.browser.locks import WebLocks
from satchel.platform.browser.ort import OrtWeb
from satchel.platform.browser.scope import scope
from satchel.platform.browser.store import IndexedDbStore
from satchel.settings import settings

if TYPE_CHECKING:
    from satchel.platform.browser.sensors import BrowserSensors

__all__ = ["BrowserPlatform"]


class BrowserPlatform:
    """The adapters of a page or worker."""

    name = "browser"
    place = "browser"

    def __init__(self) -> None:
        self.engines: dict[str, InferenceEngine] = {"onnxruntime": OrtWeb()}
        self.fetcher = BrowserFetcher()
        self.images = BrowserImages()
        self.clock = BrowserClock()

    @cached_property
    def features(self) -> frozenset[str]:
        # A module that swizzles relaxed, as wasm-feature-detect tests for it.
        module = bytes.fromhex(
            "0061736d010000000105016000017b030201000a0f010d004101fd0f4102fd0ffd80020b"
        )
        found = {
            "relaxed-simd": js.WebAssembly.validate(to_js(module)),
            "threads": js.crossOriginIsolated and hasattr(js.globalThis, "SharedArrayBuffer"),
        }
        return frozenset(name for name, here in found.items() if here)

    @property
    def agent(self) -> str:
        # Our page names the engines' files by their content.
        chosen = settings()
        return f"{js.navigator.userAgent} {chosen.ort_url} {getattr(chosen, 'litert_url', None)}"

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
