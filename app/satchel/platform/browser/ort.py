"""onnxruntime-web in a worker of its own, as the engine "onnxruntime".

A worker runs one call at a time; the queue is an `asyncio.Lock` here, in Python, so that a worker
that had to be ended loses nothing but the call that was running. The next call starts a new worker,
and each session loads itself again there when it is next used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import js
import numpy as np
from numpy.typing import NDArray
from pyodide.ffi import JsException, to_js

from satchel.errors import EngineUnavailableError, UnsupportedModelError
from satchel.platform import Blob, SessionOptions
from satchel.platform.browser.arrival import Arrival
from satchel.platform.browser.blobs import blob_of
from satchel.platform.browser.host import host, inference_source, options
from satchel.platform.ort_errors import explained
from satchel.settings import settings
from satchel.tensors import ANY_SIZE, TensorSpec, dtype_of, element_type_of

__all__ = ["OrtWeb"]

MAX_THREADS = 4
"""More threads than this gain little and take memory (onnxruntime-web's own default limit)."""


class OrtWeb:
    """onnxruntime-web's WASM build. One worker for each number of threads in use."""

    name = "onnxruntime"

    def __init__(self) -> None:
        self._workers: dict[int, Worker] = {}

    async def describe(self) -> Mapping[str, str | int]:
        worker = self._worker(None)
        async with worker.turn:
            worker.check()
            answer = await worker.call("describe")
        return {
            "version": str(answer.version),
            "threads": int(answer.threads),
            "sessions": int(answer.sessions),
        }

    async def load(self, model: Blob, options: SessionOptions) -> OrtSession:
        session = OrtSession(self._worker(options.threads), model, options)
        try:
            await session.load()
        except UnsupportedModelError:  # onnxruntime may have taken what Satchel cannot carry
            await session.close()
            raise
        return session

    def fresh(self) -> OrtWeb:
        """Another engine, with workers of its own."""
        return OrtWeb()

    async def close(self) -> None:
        """End the workers, whatever they do. A later call would start others."""
        for worker in self._workers.values():
            worker.end()

    def _worker(self, threads: int | None) -> Worker:
        usable = _usable_threads() if threads is None else max(1, min(threads, _usable_threads()))
        if usable not in self._workers:
            self._workers[usable] = Worker(usable)
        return self._workers[usable]


class Worker:
    """An inference worker, replaced by a new one when it breaks.

    Attributes:
        turn: Held by whoever calls the worker.
        generation: Which replacement this is; handles of an earlier one are void.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.turn = asyncio.Lock()
        self.generation = 0
        self._link: Any = None
        # Parts of it and of host.mjs, kept: each look into JavaScript makes a proxy.
        self._rpc: Any = None
        self._run: Any = None

    async def call(self, operation: str, *arguments: Any) -> Any:
        """Call an operation; the caller holds `turn`."""
        return await self._send(operation, lambda _, rpc: rpc.call(operation, to_js(arguments)))

    async def load(self, model: Any, session_options: Any) -> Any:
        """Make a session of a JavaScript Blob. The caller holds `turn`."""
        return await self._send(
            "load", lambda module, rpc: module.load(rpc, model, session_options)
        )

    async def run(self, handle: int, feeds: Any) -> Any:
        """Run a session; the buffers of ``feeds`` are gone afterwards. The caller holds `turn`."""
        return await self._send(
            "run",
            lambda _, rpc: Arrival(
                lambda number, arrived: self._run(rpc, handle, feeds, number, arrived)
            ),
        )

    async def _send(self, operation: str, send: Any) -> Any:
        module = await host()
        if self._link is None:
            self._link = await self._start(module)
            self._rpc, self._run = self._link.rpc, module.run
        try:
            return await send(module, self._rpc)
        except JsException as error:
            if getattr(error, "fatal", False):
                self.end()
            kind, loading = str(getattr(error, "code", "run")), operation == "load"
            raise explained(kind, str(error.message), loading=loading) from error
        except asyncio.CancelledError:
            self.end()
            raise

    def check(self) -> None:
        """Have a worker that the browser ended meanwhile replaced. The caller holds `turn`."""
        if self._link is not None and self._rpc.ended:
            self.end()

    def end(self) -> None:
        """End the worker, whatever it does; the next call starts a new one."""
        if self._link is not None:
            self._link.terminate()
            self._link = self._rpc = None
            self.generation += 1

    async def _start(self, module: Any) -> Any:
        url = settings().ort_url
        if url is None and not hasattr(js.globalThis, "ort"):
            raise EngineUnavailableError(
                "Satchel does not know where onnxruntime-web is",
                todo='Add the line: satchel.configure(ort_url="https://…/ort.wasm.bundle.min.mjs")',
            )
        source = inference_source() if module.needsSource() else ""
        try:
            # The worker's own address is a blob's: nothing is relative to it.
            places = _absolute(url), _absolute(settings().ort_wasm_url)
            return await module.spawn(self.threads, *places, source)
        except JsException as error:
            raise EngineUnavailableError(
                "The inference worker could not be started", why=str(error.message)
            ) from error


def _absolute(url: str | None) -> str | None:
    return None if url is None else str(js.URL.new(url, js.location.href).href)


class OrtSession:
    """One model in a worker; loads itself again when the worker was replaced."""

    def __init__(self, worker: Worker, model: Blob, session_options: SessionOptions) -> None:
        self._worker = worker
        self._model = blob_of(model)
        self._options = session_options
        self._handle: int | None = None
        self._generation = -1
        self.inputs: tuple[TensorSpec, ...] = ()
        self.outputs: tuple[TensorSpec, ...] = ()

    async def load(self) -> None:
        async with self._worker.turn:
            await self._ensure_loaded()

    async def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        packed = to_js([_packed(name, array) for name, array in feeds.items()])
        async with self._worker.turn:
            handle = await self._ensure_loaded()
            results = await self._worker.run(handle, packed)
        return {
            spec.name: _unpacked(result) for spec, result in zip(self.outputs, results, strict=True)
        }

    async def close(self) -> None:
        async with self._worker.turn:
            self._worker.check()
            handle, self._handle = self._handle, None
            if handle is not None and self._generation == self._worker.generation:
                await self._worker.call("release", handle)

    async def _ensure_loaded(self) -> int:
        self._worker.check()
        if self._handle is None or self._generation != self._worker.generation:
            settings_for_ort = options(
                level=self._options.graph_optimization_level, config=dict(self._options.config)
            )
            answer = await self._worker.load(self._model.js, settings_for_ort)
            self._handle, self._generation = int(answer.handle), self._worker.generation
            self.inputs = tuple(_spec(item) for item in answer.inputs)
            self.outputs = tuple(_spec(item) for item in answer.outputs)
        return self._handle


def _usable_threads() -> int:
    if not (js.crossOriginIsolated and hasattr(js.globalThis, "SharedArrayBuffer")):
        return 1
    return max(1, min(int(js.navigator.hardwareConcurrency), MAX_THREADS))


def _spec(metadata: Any) -> TensorSpec:
    if not metadata.isTensor:
        raise UnsupportedModelError(
            f"'{metadata.name}' is no tensor, and Satchel carries tensors only",
            todo="Export the model so that sequences and maps stay inside it",
        )
    shape = tuple(_axis(size) for size in metadata.shape)
    return TensorSpec(str(metadata.name), dtype_of(str(metadata.type)), shape)


def _axis(size: Any) -> int | str:
    if isinstance(size, str):
        return size or ANY_SIZE
    # onnxruntime-web passes -1, "unknown", through an unsigned integer.
    return ANY_SIZE if size < 0 or size >= 1 << 31 else int(size)


def _packed(name: str, array: NDArray[Any]) -> list[Any]:
    # Bytes cross the border whatever the dtype; the flat view makes one copy, not nested arrays.
    element_type = element_type_of(array.dtype)
    flat = array.reshape(-1)
    data = flat.tolist() if array.dtype.kind == "O" else to_js(flat.view(np.uint8))
    return [name, element_type, list(array.shape), data]


def _unpacked(result: Any) -> NDArray[Any]:
    dims, element_type, data = result
    shape = tuple(int(size) for size in dims)
    dtype = dtype_of(str(element_type))
    if dtype.kind == "O":
        return np.array(data.to_py(), dtype=object).reshape(shape)
    array = np.empty(shape, dtype)
    if array.size:
        data.assign_to(array.reshape(-1).view(np.uint8))
    return array
