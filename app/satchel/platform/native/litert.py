"""LiteRT's own Python package, as the engine "litert" (https://ai.google.dev/edge/litert)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel.errors import EngineUnavailableError, SatchelError
from satchel.platform import Blob, SessionOptions
from satchel.platform.litert_errors import explained
from satchel.tensors import TensorSpec, dtype_of

__all__ = ["LiteRtNative"]


class LiteRtNative:
    """LiteRT on the processor; each session runs in a thread, and is never interrupted."""

    name = "litert"

    async def describe(self) -> Mapping[str, str | int]:
        _interpreter()
        from importlib.metadata import version

        return {"version": version("ai-edge-litert"), "threads": 0}

    async def load(self, model: Blob, options: SessionOptions) -> LiteRtSession:
        make = _interpreter()
        data = await model.read()

        def create() -> Any:
            interpreter = make(model_content=data, num_threads=options.threads)
            interpreter.allocate_tensors()
            return interpreter

        try:
            return LiteRtSession(await asyncio.to_thread(create))
        except SatchelError:
            raise
        except Exception as error:
            raise explained(_kind(error), str(error), loading=True) from error

    def fresh(self) -> LiteRtNative:
        """This one: an interpreter shares nothing with others."""
        return self

    async def close(self) -> None:
        """Nothing runs but sessions, which are closed one by one."""


class LiteRtSession:
    """One loaded model, by its first signature; a model without one, by its tensors' names."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self._turn = asyncio.Lock()
        key = next(iter(interpreter.get_signature_list()), None)
        self._runner = interpreter.get_signature_runner(key)
        self.inputs = _specs(self._runner.get_input_details())
        self.outputs = _specs(self._runner.get_output_details())

    async def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        async with self._turn:
            run = asyncio.ensure_future(asyncio.to_thread(self._runner, **feeds))
            try:
                results = await asyncio.shield(run)
            except asyncio.CancelledError:
                await asyncio.wait([run])  # a thread cannot be ended
                run.exception()
                raise
            except Exception as error:
                raise explained(_kind(error), str(error), loading=False) from error
        return {spec.name: np.array(results[spec.name]) for spec in self.outputs}

    async def close(self) -> None:
        async with self._turn:
            self._runner = self._interpreter = None


def _interpreter() -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise EngineUnavailableError(
            "LiteRT is not installed", todo="Run: pip install 'satchel[litert]'"
        ) from error
    return Interpreter


def _specs(details: Mapping[str, Any]) -> tuple[TensorSpec, ...]:
    return tuple(_spec(name, item) for name, item in details.items())


def _spec(name: str, item: Any) -> TensorSpec:
    sizes = item.get("shape_signature", item["shape"])
    shape = tuple("?" if size < 0 else int(size) for size in sizes)
    return TensorSpec(name, dtype_of(np.dtype(item["dtype"]).name), shape)


def _kind(error: Exception) -> str:
    return "memory" if isinstance(error, MemoryError) else "run"
