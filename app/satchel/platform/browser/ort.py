"""onnxruntime-web's WASM build, as the engine "onnxruntime" (https://onnxruntime.ai)."""

from __future__ import annotations

from typing import Any

import js

from satchel.errors import EngineUnavailableError, SatchelError, UnsupportedModelError
from satchel.platform import SessionOptions
from satchel.platform.browser.worker_engine import WorkerEngine, absolute
from satchel.platform.ort_errors import explained
from satchel.settings import settings
from satchel.tensors import ANY_SIZE, TensorSpec, dtype_of

__all__ = ["OrtWeb"]


class OrtWeb(WorkerEngine):
    """onnxruntime-web, behind `inference.mjs`."""

    name = "onnxruntime"
    module = "inference.mjs"

    def places(self) -> dict[str, str | None]:
        url = settings().ort_url
        if url is None and not hasattr(js.globalThis, "ort"):
            raise EngineUnavailableError(
                "Satchel does not know where onnxruntime-web is",
                todo='Add the line: satchel.configure(ort_url="https://…/ort.wasm.bundle.min.mjs")',
            )
        return {"ort": absolute(url), "ort_wasm": absolute(settings().ort_wasm_url)}

    def options(self, options: SessionOptions) -> dict[str, Any]:
        return {"level": options.graph_optimization_level, "config": dict(options.config)}

    def spec(self, metadata: Any) -> TensorSpec:
        if not metadata.isTensor:
            raise UnsupportedModelError(
                f"'{metadata.name}' is no tensor, and Satchel carries tensors only",
                todo="Export the model so that sequences and maps stay inside it",
            )
        shape = tuple(_axis(size) for size in metadata.shape)
        return TensorSpec(str(metadata.name), dtype_of(str(metadata.type)), shape)

    def explained(self, kind: str, message: str, *, loading: bool) -> SatchelError:
        return explained(kind, message, loading=loading)


def _axis(size: Any) -> int | str:
    if isinstance(size, str):
        return size or ANY_SIZE
    # onnxruntime-web passes -1, "unknown", through an unsigned integer.
    return ANY_SIZE if size < 0 or size >= 1 << 31 else int(size)
