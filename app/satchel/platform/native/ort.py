"""onnxruntime's own Python package, as the engine "onnxruntime" (https://onnxruntime.ai)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel.errors import EngineUnavailableError, UnsupportedModelError
from satchel.platform import Blob, SessionOptions
from satchel.platform.ort_errors import explained
from satchel.tensors import ANY_SIZE, TensorSpec, dtype_of

__all__ = ["OrtNative", "session_options"]

LEVELS = {
    "disabled": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}

TYPE_NAMES = {"float": "float32", "double": "float64"}
"""Where onnxruntime's Python names differ from those of its other bindings."""


def session_options(options: SessionOptions) -> Any:
    """Onnxruntime's own SessionOptions for how a model is to be loaded."""
    ort = _onnxruntime()
    chosen = ort.SessionOptions()
    chosen.graph_optimization_level = getattr(
        ort.GraphOptimizationLevel, LEVELS[options.graph_optimization_level]
    )
    if options.threads is not None:
        chosen.intra_op_num_threads = options.threads
    for key, value in options.config.items():
        chosen.add_session_config_entry(key, value)
    return chosen


class OrtNative:
    """onnxruntime on the processor; each session runs in a thread."""

    name = "onnxruntime"

    async def describe(self) -> Mapping[str, str | int]:
        return {"version": _onnxruntime().__version__, "threads": 0}

    async def load(self, model: Blob, options: SessionOptions) -> OrtSession:
        ort = _onnxruntime()
        chosen = session_options(options)
        chosen.log_severity_level = 4
        data = await model.read()

        def create() -> Any:
            return ort.InferenceSession(data, chosen, providers=["CPUExecutionProvider"])

        try:
            session = await asyncio.to_thread(create)
        except Exception as error:
            raise explained(_kind(error), str(error), loading=True) from error
        return OrtSession(session)

    def threads(self, wanted: int | None) -> int:
        return wanted or os.cpu_count() or 1

    async def rest(self) -> None:
        """Each session gives its own back when it is closed."""

    def fresh(self) -> OrtNative:
        """This one: a session of onnxruntime's shares nothing with others."""
        return self

    async def close(self) -> None:
        """Nothing runs but sessions, which are closed one by one."""


class OrtSession:
    """One loaded model."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._turn = asyncio.Lock()
        self.inputs = tuple(_spec(item) for item in session.get_inputs())
        self.outputs = tuple(_spec(item) for item in session.get_outputs())

    async def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        ort = _onnxruntime()
        options = ort.RunOptions()
        options.log_severity_level = 4
        names = [spec.name for spec in self.outputs]
        async with self._turn:
            run = asyncio.ensure_future(
                asyncio.to_thread(self._session.run, names, dict(feeds), options)
            )
            try:
                results = await asyncio.shield(run)
            except asyncio.CancelledError:
                # The thread cannot be ended; onnxruntime ends the run by itself at the next node.
                options.terminate = True
                await asyncio.wait([run])
                run.exception()
                raise
            except Exception as error:
                raise explained(_kind(error), str(error), loading=False) from error
        return dict(zip(names, map(_owned, results), strict=True))

    async def close(self) -> None:
        async with self._turn:
            self._session = None


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise EngineUnavailableError(
            "onnxruntime is not installed", todo="Run: pip install 'satchel[native]'"
        ) from error
    return onnxruntime


def _spec(item: Any) -> TensorSpec:
    if not item.type.startswith("tensor("):
        raise UnsupportedModelError(
            f"'{item.name}' is {item.type}, and Satchel carries tensors only",
            todo="Export the model so that sequences and maps stay inside it",
        )
    element_type = item.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(size if isinstance(size, int | str) else ANY_SIZE for size in item.shape)
    return TensorSpec(item.name, dtype_of(TYPE_NAMES.get(element_type, element_type)), shape)


def _owned(output: Any) -> NDArray[Any]:
    """An array with memory of its own: onnxruntime's may be a view of its arena."""
    array = np.asarray(output)
    return array if array.flags.owndata else array.copy()


def _kind(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "memory"
    return "argument" if type(error).__name__ == "InvalidArgument" else "run"
