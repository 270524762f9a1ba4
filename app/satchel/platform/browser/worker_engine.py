"""An engine in a worker of its own; `ort` and `litert` say which.

A worker runs one call at a time; the queue is an `asyncio.Lock` here, in Python, so that a worker
that had to be ended loses nothing but the call that was running. The next call starts a new worker,
and each session loads itself again there when it is next used.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import js
import numpy as np
from numpy.typing import NDArray
from pyodide.ffi import JsException, to_js

from satchel.errors import EngineUnavailableError, SatchelError, UnsupportedModelError
from satchel.platform import Blob, SessionOptions
from satchel.platform.browser.arrival import Arrival
from satchel.platform.browser.blobs import blob_of
from satchel.platform.browser.host import features, host, module_url, options
from satchel.tensors import TensorSpec, dtype_of, element_type_of

__all__ = ["WorkerEngine", "absolute"]

MAX_THREADS = 4
"""More threads than this gain little and take memory (onnxruntime-web's own default limit)."""


class WorkerEngine(ABC):
    """An engine written in JavaScript. One worker for each number of threads in use."""

    name: ClassVar[str]
    module: ClassVar[str]
    """The JavaScript module that serves it."""

    def __init__(self) -> None:
        self._workers: dict[int, Worker] = {}

    @abstractmethod
    def places(self) -> dict[str, str | None]:
        """The URLs that `serve` of its module takes, absolute.

        Raises:
            EngineUnavailableError: Nobody has said where the engine is.
        """

    @abstractmethod
    def options(self, options: SessionOptions) -> dict[str, Any]:
        """What its module takes as options of a session."""

    @abstractmethod
    def spec(self, metadata: Any) -> TensorSpec:
        """An input or output, of what its module tells.

        Raises:
            UnsupportedModelError: Satchel can't carry it.
        """

    @abstractmethod
    def explained(self, kind: str, message: str, *, loading: bool) -> SatchelError:
        """The error for a failure."""

    def most_threads(self) -> int:
        """More than these it can't use here."""
        if "threads" not in features():
            return 1
        return max(1, min(int(js.navigator.hardwareConcurrency), MAX_THREADS))

    async def describe(self) -> Mapping[str, str | int]:
        worker = self._worker(None)
        async with worker.turn:
            worker.check()
            answer = await worker.call("describe")
        return dict(answer.to_py())

    async def load(self, model: Blob, options: SessionOptions) -> WorkerSession:
        session = WorkerSession(self._worker(options.threads), model, self.options(options))
        try:
            await session.load()
        except UnsupportedModelError:  # the engine may have taken what Satchel cannot carry
            await session.close()
            raise
        return session

    def threads(self, wanted: int | None) -> int:
        most = self.most_threads()
        return most if wanted is None else max(1, min(wanted, most))

    async def rest(self) -> None:
        # WASM gives no memory back as long as its worker lives.
        for worker in self._workers.values():
            if worker.sessions == 0 and not worker.turn.locked():
                worker.end()

    def fresh(self) -> Self:
        """Another engine, with workers of its own."""
        return type(self)()

    async def close(self) -> None:
        """End the workers, whatever they do. A later call would start others."""
        for worker in self._workers.values():
            worker.end()

    def _worker(self, threads: int | None) -> Worker:
        usable = self.threads(threads)
        if usable not in self._workers:
            self._workers[usable] = Worker(self, usable)
        return self._workers[usable]


class Worker:
    """An inference worker, replaced by a new one when it breaks.

    Attributes:
        engine: Whose it is.
        turn: Held by whoever calls the worker.
        generation: Which replacement this is; handles of an earlier one are void.
        sessions: How many it holds.
    """

    def __init__(self, engine: WorkerEngine, threads: int) -> None:
        self.engine = engine
        self.threads = threads
        self.turn = asyncio.Lock()
        self.generation = 0
        self.sessions = 0
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
            raise self.engine.explained(kind, str(error.message), loading=loading) from error
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
            self.sessions = 0

    async def _start(self, module: Any) -> Any:
        engine = self.engine
        places = options(**engine.places())
        script = module_url(engine.module) if module.needsScript() else ""
        try:
            return await module.spawn(engine.name, self.threads, places, script)
        except JsException as error:
            raise EngineUnavailableError(
                "The inference worker could not be started", why=str(error.message)
            ) from error


class WorkerSession:
    """One model in a worker; loads itself again when the worker was replaced."""

    def __init__(self, worker: Worker, model: Blob, options: dict[str, Any]) -> None:
        self._worker = worker
        self._model = blob_of(model)
        self._options = options
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
                self._worker.sessions -= 1
                await self._worker.call("release", handle)

    async def _ensure_loaded(self) -> int:
        self._worker.check()
        if self._handle is None or self._generation != self._worker.generation:
            answer = await self._worker.load(self._model.js, options(**self._options))
            self._handle, self._generation = int(answer.handle), self._worker.generation
            self._worker.sessions += 1
            spec = self._worker.engine.spec
            self.inputs = tuple(spec(item) for item in answer.inputs)
            self.outputs = tuple(spec(item) for item in answer.outputs)
        return self._handle


def absolute(url: str | None) -> str | None:
    """A URL that a worker understands: its own address is a blob's, nothing is relative to it."""
    return None if url is None else str(js.URL.new(url, js.location.href).href)


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
