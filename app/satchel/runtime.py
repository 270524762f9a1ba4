"""EdgeRuntime: one model, ready to infer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from types import TracebackType
from typing import Any, Self, overload

from numpy.typing import ArrayLike, NDArray

from satchel import platform as platforms
from satchel.engines import HEAD, engine_here, engine_of
from satchel.errors import (
    InferenceTimeoutError,
    InputError,
    SatchelError,
)
from satchel.platform import Blob, EngineSession, InferenceEngine, Platform, SessionOptions
from satchel.probation import Outcome, Watch
from satchel.tensors import TensorSpec, check_names, fit

__all__ = ["Clocked", "EdgeRuntime", "Guard"]

Clocked = Callable[[float, int], None]

Guard = Callable[[], AbstractAsyncContextManager[None]]


class EdgeRuntime:
    """One model, ready to infer.

    Args:
        model: The model file: bytes-like, or in the browser a JavaScript ArrayBuffer, typed array
            or Blob. It is copied once into a Blob, so the caller's buffer stays usable; what comes
            as JavaScript never lies whole in the Python heap.
        name: For messages.
        engine: "onnxruntime" or "litert"; None: by the file, .tflite on LiteRT.
        threads: Number of threads; None lets the engine choose. One where the page is not
            cross-origin isolated.
        options: How the engine loads the model; default: its own defaults.
        variant: Name of the installed variant that it is; empty: it came from elsewhere.
        watch: Told of each run, and of a failure to load.
        lease: Held from the first load to `close`: what keeps the model's file in place.
        guard: Gives what each load happens in.
        platform: Where to run; default: here.

    Attributes:
        clocked: Told of each run: its seconds, and how many values it was given; None: nobody is.

    Raises:
        InputError: ``model`` holds no bytes.
        EngineUnavailableError: There is no such engine on this platform.

    Example::

        async with satchel.EdgeRuntime(model_bytes) as runtime:
            scores = await runtime.infer(pixels)
    """

    def __init__(
        self,
        model: object,
        *,
        name: str | None = None,
        engine: str | None = None,
        threads: int | None = None,
        options: SessionOptions | None = None,
        variant: str = "",
        watch: Watch | None = None,
        lease: AbstractAsyncContextManager[None] | None = None,
        guard: Guard | None = None,
        platform: Platform | None = None,
    ) -> None:
        self._platform = platform or platforms.current()
        self._watch = watch
        self._lease = lease
        self._guard = guard or nullcontext
        self._held = AsyncExitStack()
        self.name = name or "model"
        self.variant = variant
        self.engine = engine
        if engine is not None:
            engine_here(engine, self._platform)
        try:
            self._model: Blob = self._platform.blob(model)
        except TypeError as error:
            raise InputError(
                f"The model of '{self.name}' must be given as bytes",
                why=str(error),
                todo="Read the file first, or fetch it as an ArrayBuffer or Blob",
            ) from error
        base = options or SessionOptions()
        self._options = SessionOptions(
            base.graph_optimization_level,
            base.config,
            threads if threads is not None else base.threads,
        )
        self._session: EngineSession | None = None
        self._loading = asyncio.Lock()
        self._closed = False
        self.clocked: Clocked | None = None

    async def load(self) -> Self:
        """Make the session, once. `infer` and `run` do it on first use.

        Raises:
            ModelFormatError: The bytes are no model, or not all of one.
            UnsupportedModelError: The model needs what the engine lacks.
            OutOfMemoryError: It does not fit.
            EngineUnavailableError: The engine cannot be started.
        """
        await self._ready()
        return self

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What the model takes; known once it is loaded."""
        return self._loaded().inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What the model gives; known once it is loaded."""
        return self._loaded().outputs

    @property
    def loaded(self) -> bool:
        """Whether the engine holds it, and memory for it."""
        return self._session is not None

    @property
    def closed(self) -> bool:
        """Whether it can't be used any more."""
        return self._closed

    @property
    def size(self) -> int:
        """Bytes of the model's file."""
        return self._model.size

    @property
    def threads(self) -> int:
        """Threads that it runs on here; known once it is loaded."""
        self._loaded()
        return engine_here(self.engine or "", self._platform).threads(self._options.threads)

    def sibling(self, threads: int) -> EdgeRuntime:
        """The same model on another number of threads, not yet loaded; to be closed before it."""
        options = SessionOptions(
            self._options.graph_optimization_level, self._options.config, threads
        )
        return EdgeRuntime(
            self._model,
            name=self.name,
            engine=self.engine,
            options=options,
            variant=self.variant,
            watch=self._watch,
            guard=self._guard,
            platform=self._platform,
        )

    @overload
    async def infer(self, x: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]: ...
    @overload
    async def infer(self, x: ArrayLike) -> NDArray[Any]: ...
    async def infer(
        self, x: ArrayLike | Mapping[str, ArrayLike]
    ) -> NDArray[Any] | dict[str, NDArray[Any]]:
        """Run the model.

        Args:
            x: An array, for a model with one input and one output; or arrays by input name.
                They are cast as `satchel.tensors.fit` says: any float where the model takes a
                float, any integer whose values fit where it takes an integer; any memory layout.

        Returns:
            The output, or all outputs by name. Arrays own their memory.

        Raises:
            InputError: Names, shapes or dtypes do not fit the model; the message shows both sides.
            InferenceError: The engine failed.
        """
        if isinstance(x, Mapping):
            return await self.run(x)
        session = await self._ready()
        if len(session.inputs) != 1 or len(session.outputs) != 1:
            raise InputError(
                f"'{self.name}' takes {_counted(session.inputs, 'input')} and gives"
                f" {_counted(session.outputs, 'output')}, so one array is not enough",
                todo="Pass a mapping from input names to arrays",
            )
        outputs = await self._run(session, {session.inputs[0].name: x})
        return outputs[session.outputs[0].name]

    async def run(
        self, inputs: Mapping[str, ArrayLike], timeout: float | None = None
    ) -> dict[str, NDArray[Any]]:
        """Run the model on named inputs.

        Calls queue in order. Cancelling one that waits takes it out of the queue; cancelling the
        running one ends it, for which the inference worker is replaced and reloaded.

        Args:
            inputs: Arrays by input name, all of the model's inputs.
            timeout: Seconds for this call, waiting included; None: no limit.

        Returns:
            Arrays by output name; they own their memory.

        Raises:
            InputError, InferenceError: See `infer`.
            InferenceTimeoutError: It took longer than ``timeout``.
        """
        session = await self._ready()
        if timeout is None:
            return await self._run(session, inputs)
        try:
            async with asyncio.timeout(timeout):
                return await self._run(session, inputs)
        except TimeoutError as error:
            if isinstance(error, InferenceTimeoutError):
                raise
            raise InferenceTimeoutError(
                f"'{self.name}' did not answer within {timeout} seconds and was stopped",
                todo="Allow more time, or use a smaller model or input",
            ) from error

    async def cache_model(self, name: str, version: str = "1.0.0") -> None:
        """Store this model in the library, so that `load_cached_model` finds it later, offline.

        Raises:
            StorageFullError: The device has no room; nothing was changed.
        """
        from satchel.library import Library

        await Library(self._platform).add(
            name,
            self._model,
            version=version,
            engine=await self._settled(),
            options=self._options,
        )

    @classmethod
    async def load_cached_model(
        cls, name: str, *, threads: int | None = None, platform: Platform | None = None
    ) -> EdgeRuntime | None:
        """The model that was stored as ``name``, or None when it is not there."""
        from satchel.errors import ModelNotFoundError
        from satchel.library import Library

        try:
            return await Library(platform or platforms.current()).open(name, threads=threads)
        except ModelNotFoundError:
            return None

    async def unload(self) -> None:
        """Give the memory back until the next run, which loads the model again."""
        async with self._loading:
            session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def close(self) -> None:
        """Give the memory back. The runtime cannot be used afterwards."""
        self._closed = True
        await self.unload()
        async with self._loading:
            await self._held.aclose()

    async def __aenter__(self) -> Self:
        return await self.load()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _ready(self) -> EngineSession:
        if self._session is not None:
            return self._session
        async with self._loading:
            if self._closed:
                raise InputError(f"'{self.name}' has been closed", todo="Open it again")
            if self._session is None:
                engine = engine_here(await self._settled(), self._platform)
                try:
                    session = await self._made(engine)
                except SatchelError as error:
                    await self._tell(error)
                    raise
                self._session = session
            return self._session

    async def _settled(self) -> str:
        """The engine's name."""
        if self.engine is None:
            self.engine = engine_of(await self._model.read(0, HEAD))
        return self.engine

    async def _made(self, engine: InferenceEngine) -> EngineSession:
        held = asyncio.ensure_future(self._hold())
        try:
            async with self._guard():
                return await engine.load(self._model, self._options)
        finally:
            await held  # also where it failed: `close` lets go of what is held by then

    async def _hold(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None:
            await self._held.enter_async_context(lease)

    def _loaded(self) -> EngineSession:
        if self._session is None:
            raise InputError(
                f"'{self.name}' is not loaded, so its inputs and outputs are not known yet",
                todo="Call 'await runtime.load()' first",
            )
        return self._session

    async def _run(
        self, session: EngineSession, inputs: Mapping[str, ArrayLike]
    ) -> dict[str, NDArray[Any]]:
        check_names(inputs, session.inputs)
        feeds = {spec.name: fit(inputs[spec.name], spec) for spec in session.inputs}
        began = self._platform.clock.monotonic() if self.clocked else 0.0
        try:
            outputs = await session.run(feeds)
        except SatchelError as error:
            await self._tell(error)
            raise
        if self.clocked:
            values = sum(array.size for array in feeds.values())
            self.clocked(self._platform.clock.monotonic() - began, values)
        await self._tell(outputs)
        return outputs

    async def _tell(self, outcome: Outcome) -> None:
        if self._watch is not None:
            await self._watch(outcome)


def _counted(specs: tuple[TensorSpec, ...], noun: str) -> str:
    names = ", ".join(f"'{spec.name}'" for spec in specs)
    return f"{len(specs)} {noun}{'' if len(specs) == 1 else 's'} ({names})"
