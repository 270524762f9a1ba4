"""LiteRT's own Python package, as the engine "litert" (https://ai.google.dev/edge/litert)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from satchel.errors import EngineUnavailableError
from satchel.platform import Blob, SessionOptions
from satchel.platform.litert_errors import explained
from satchel.tensors import ANY_SIZE, TensorSpec, dtype_of

__all__ = ["LiteRtNative"]


class LiteRtNative:
    """LiteRT on the processor; each session runs in a thread, which can't be interrupted."""

    name = "litert"

    async def describe(self) -> Mapping[str, str | int]:
        _interpreter()
        return {"version": metadata.version("ai-edge-litert"), "threads": 0}

    async def load(self, model: Blob, options: SessionOptions) -> LiteRtSession:
        interpreter = _interpreter()
        data = await model.read()

        def create() -> Any:
            if not data:  # it would look for a file instead
                raise ValueError("there are none")
            made = interpreter(model_content=data, num_threads=options.threads)
            made.allocate_tensors()
            return made

        try:
            return LiteRtSession(await asyncio.to_thread(create))
        except (ValueError, RuntimeError, MemoryError) as error:
            raise explained(_kind(error), str(error), loading=True) from error

    def threads(self, wanted: int | None) -> int:
        return wanted or 1

    async def rest(self) -> None:
        """Each session gives its own back when it is closed."""

    def fresh(self) -> LiteRtNative:
        """This one: an interpreter shares nothing with others."""
        return self

    async def close(self) -> None:
        """Nothing runs but sessions, which are closed one by one."""


class LiteRtSession:
    """One model, by its first signature; one without any, by its tensors' names."""

    def __init__(self, interpreter: Any) -> None:
        self._turn = asyncio.Lock()
        self._call: Callable[..., Mapping[str, Any]] | None
        signature = next(iter(interpreter.get_signature_list()), None)
        if signature is None:
            inputs = {item["name"]: item for item in interpreter.get_input_details()}
            outputs = {item["name"]: item for item in interpreter.get_output_details()}
            self._call = _unsigned(interpreter, inputs, outputs)
        else:
            self._call = runner = interpreter.get_signature_runner(signature)
            inputs, outputs = runner.get_input_details(), runner.get_output_details()
        self.inputs = _specs(inputs)
        self.outputs = _specs(outputs)

    async def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        async with self._turn:
            assert self._call is not None, "closed"
            run = asyncio.ensure_future(asyncio.to_thread(self._call, **feeds))
            try:
                results = await asyncio.shield(run)
            except asyncio.CancelledError:
                await asyncio.wait([run])
                run.exception()
                raise
            except (ValueError, RuntimeError, MemoryError) as error:
                raise explained(_kind(error), str(error), loading=False) from error
        # They are copies, but for a model's own constants.
        return {spec.name: np.array(results[spec.name]) for spec in self.outputs}

    async def close(self) -> None:
        async with self._turn:
            self._call = None


def _interpreter() -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise EngineUnavailableError(
            "LiteRT is not installed", todo="Run: pip install 'satchel[litert]'"
        ) from error
    return Interpreter


def _unsigned(
    interpreter: Any, inputs: Mapping[str, Any], outputs: Mapping[str, Any]
) -> Callable[..., Mapping[str, Any]]:
    """A call by tensors' names, like that of a signature."""

    def call(**feeds: NDArray[Any]) -> Mapping[str, Any]:
        for name, item in inputs.items():
            interpreter.resize_tensor_input(item["index"], feeds[name].shape)
        interpreter.allocate_tensors()
        for name, item in inputs.items():
            interpreter.set_tensor(item["index"], feeds[name])
        interpreter.invoke()
        return {name: interpreter.get_tensor(item["index"]) for name, item in outputs.items()}

    return call


def _specs(details: Mapping[str, Any]) -> tuple[TensorSpec, ...]:
    return tuple(_spec(name, item) for name, item in details.items())


def _spec(name: str, item: Any) -> TensorSpec:
    sizes = item["shape_signature"] if len(item["shape_signature"]) else item["shape"]
    shape = tuple(ANY_SIZE if size < 0 else int(size) for size in sizes)
    return TensorSpec(name, dtype_of(np.dtype(item["dtype"]).name), shape)


def _kind(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "memory"
    # What is no model is a ValueError; what can't be made ready is a RuntimeError.
    return "format" if isinstance(error, ValueError) else "run"
