"""LiteRT.js, as the engine "litert" (https://ai.google.dev/edge/litert/web)."""

from __future__ import annotations

from typing import Any

from satchel.errors import EngineUnavailableError, SatchelError
from satchel.platform import SessionOptions
from satchel.platform.browser.host import features
from satchel.platform.browser.worker_engine import WorkerEngine, absolute
from satchel.platform.litert_errors import explained
from satchel.settings import settings
from satchel.tensors import TensorSpec, dtype_of

__all__ = ["LiteRtWeb"]


class LiteRtWeb(WorkerEngine):
    """LiteRT.js on the processor (XNNPACK), behind `litert.mjs`."""

    name = "litert"
    module = "litert.mjs"

    def places(self) -> dict[str, str | None]:
        url = absolute(settings().litert_url)
        if url is None:
            raise EngineUnavailableError(
                "Satchel does not know where LiteRT.js is",
                todo='Add the line: satchel.configure(litert_url="https://…/litert.mjs")',
            )
        folder = settings().litert_wasm_url
        return {"litert": url, "litert_wasm": absolute(folder) or url.rpartition("/")[0] + "/"}

    def options(self, options: SessionOptions) -> dict[str, Any]:
        return {}

    def spec(self, metadata: Any) -> TensorSpec:
        shape = tuple(int(size) for size in metadata.shape)
        return TensorSpec(str(metadata.name), dtype_of(str(metadata.type)), shape)

    def explained(self, kind: str, message: str, *, loading: bool) -> SatchelError:
        return explained(kind, message, loading=loading)

    def most_threads(self) -> int:
        # Its build for other browsers knows no threads.
        return super().most_threads() if features() >= {"relaxed-simd", "shared-memory"} else 1
