"""The only way out of the engine: protocols here, one set of adapters for each place.

`browser` speaks to the platform of a page or worker through Pyodide, `native` to files and
onnxruntime on CPython. Nothing outside this package imports ``js`` or opens a file.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from satchel.tensors import TensorSpec

if TYPE_CHECKING:
    from satchel.device import DeviceProfile

__all__ = [
    "STALL",
    "Answer",
    "Blob",
    "Change",
    "Channel",
    "Clock",
    "DeleteBlob",
    "DeleteParts",
    "DeleteRecord",
    "EngineSession",
    "Fetcher",
    "Images",
    "InferenceEngine",
    "Locks",
    "Part",
    "Piece",
    "Platform",
    "PublicKey",
    "PutBlob",
    "PutPart",
    "PutRecord",
    "Record",
    "Sensors",
    "SessionOptions",
    "Signatures",
    "Slice",
    "Space",
    "Span",
    "Store",
    "current",
]

STALL = 20.0
"""Seconds without a byte after which an answer counts as dead; a mobile network's handover between
cells takes a few."""

Record = dict[str, Any]
"""One stored record: plain JSON data, parsed strictly by its owner."""


class Blob(Protocol):
    """Immutable bytes that need not lie in the Python heap (a JavaScript Blob, a file)."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    async def read(self, start: int = 0, stop: int | None = None) -> bytes:
        """The bytes from ``start`` to ``stop``, copied into the Python heap.

        Raises:
            StorageError: They are not there any more.
        """

    def stream(self) -> AsyncIterator[bytes | memoryview]:
        """All bytes in order, some at a time, for hashing.

        Raises:
            StorageError: They are not there any more.
        """


@dataclass(frozen=True, slots=True)
class Span:
    """Some bytes of a file.

    Attributes:
        start: Offset of the first one.
        stop: Offset after the last one.
    """

    start: int
    stop: int

    @property
    def size(self) -> int:
        """How many bytes they are."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Slice:
    """Some bytes of a blob, which stay where they are: from ``start`` to before ``stop``."""

    blob: Blob
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Part:
    """Verified bytes of a blob that is not here as a whole yet.

    Attributes:
        start: Where in the blob they begin.
        blob: They themselves.
    """

    start: int
    blob: Blob


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How an engine is to load a model.

    Attributes:
        graph_optimization_level: "disabled", "basic", "extended" or "all" (onnxruntime's levels).
            LiteRT has none.
        config: onnxruntime session config entries, such as ``session.disable_quant_qdq``.
        threads: Number of threads; None leaves it to the engine.
    """

    graph_optimization_level: str = "all"
    config: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None


class EngineSession(Protocol):
    """One loaded model. Runs are queued by the engine and answered in order."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]: ...

    @property
    def outputs(self) -> tuple[TensorSpec, ...]: ...

    async def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the model on arrays that already fit its inputs.

        Cancelling a run that waits takes it out of the queue; cancelling the running one ends it.
        Outputs own their memory.

        Raises:
            InferenceError: The engine failed; after a crash or out of memory it has been replaced.
        """

    async def close(self) -> None:
        """Give the session's memory back. Closing twice is allowed."""


class InferenceEngine(Protocol):
    """Loads models and runs them."""

    @property
    def name(self) -> str:
        """As manifests name it: "onnxruntime", "litert"."""

    async def describe(self) -> Mapping[str, str | int]:
        """For people: "version" and "threads" at least."""

    async def load(self, model: Blob, options: SessionOptions) -> EngineSession:
        """Load a model from its bytes.

        Raises:
            ModelFormatError: The bytes are no model, or not all of one.
            UnsupportedModelError: It needs what this engine lacks.
            OutOfMemoryError: It does not fit.
            EngineUnavailableError: The engine cannot be started.
        """

    def threads(self, wanted: int | None) -> int:
        """How many threads a session gets that asks for so many; None: that leaves it to it."""

    def fresh(self) -> InferenceEngine:
        """Another engine of this kind, for models that nobody has tried yet; `close` it."""

    async def rest(self) -> None:
        """Give back the memory that no session holds any more."""

    async def close(self) -> None:
        """End all that it runs."""


@dataclass(frozen=True, slots=True)
class PutRecord:
    """Write a record."""

    table: str
    key: str
    record: Record


@dataclass(frozen=True, slots=True)
class DeleteRecord:
    """Remove a record, if it is there."""

    table: str
    key: str


@dataclass(frozen=True, slots=True)
class PutBlob:
    """Write a blob under its SHA-256 in hex."""

    digest: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class DeleteBlob:
    """Remove a blob, if it is there."""

    digest: str


@dataclass(frozen=True, slots=True)
class PutPart:
    """Write verified bytes of the blob ``digest``, which begin at ``start`` in it."""

    digest: str
    start: int
    blob: Blob


@dataclass(frozen=True, slots=True)
class DeleteParts:
    """Remove the parts of a blob, or only the one that begins at ``start``, if they are there."""

    digest: str
    start: int | None = None


Change = PutRecord | DeleteRecord | PutBlob | DeleteBlob | PutPart | DeleteParts


@dataclass(frozen=True, slots=True)
class Space:
    """Storage of this site on this device, in bytes; None where the platform does not say."""

    used: int | None
    quota: int | None
    persisted: bool | None


class Store(Protocol):
    """Records and blobs that outlive the page."""

    async def record(self, table: str, key: str) -> Record | None:
        """One record."""

    async def records(self, table: str) -> dict[str, Record]:
        """All records of a table by key."""

    async def blob(self, digest: str) -> Blob | None:
        """A handle to a blob; its bytes are read when needed."""

    async def blobs(self) -> dict[str, int]:
        """Size in bytes of every stored blob, by digest."""

    async def parts(self, digest: str) -> Sequence[Part]:
        """What is here of a blob under way, in its order."""

    async def part_sizes(self) -> dict[str, int]:
        """Bytes that all parts of a blob have together, by the blob's digest."""

    async def commit(self, changes: Sequence[Change]) -> None:
        """Apply all changes or none, and return once they would survive a power cut.

        Raises:
            StorageFullError: There is no room; nothing was changed.
            StorageError: The storage failed; nothing was changed.
        """

    async def space(self) -> Space:
        """How much is used and how much is left."""

    async def close(self) -> None:
        """Let go of the storage, so that another version can upgrade it."""


class Piece(Protocol):
    """Some bytes of a download, there until the next ones come."""

    @property
    def size(self) -> int: ...

    def view(self) -> bytes | memoryview:
        """The bytes, for hashing."""

    def cut(self, start: int, stop: int) -> Blob:
        """The bytes from ``start`` to before ``stop`` of this piece, to keep."""


class Answer(Protocol):
    """A server's answer whose body is on its way."""

    @property
    def whole(self) -> bool:
        """Whether the body is the whole file, whatever was asked for (status 200, not 206)."""

    @property
    def start(self) -> int:
        """Offset in the file of the body's first byte, as far as the platform can tell."""

    def __aiter__(self) -> AsyncIterator[Piece]:
        """The body, piece by piece as it comes.

        It ends where the network says so, which is not always where the body does.

        Raises:
            NetworkError: The connection was cut, or nothing came any more.
        """


class Fetcher(Protocol):
    """Gets bytes from URLs."""

    def get(
        self, url: str, span: Span | None = None, *, stall: float = STALL
    ) -> AbstractAsyncContextManager[Answer]:
        """A GET; leaving the block ends the transfer.

        Args:
            url: Where the file lies.
            span: Which of its bytes to ask for; the server may answer with others.
            stall: Seconds without a byte after which it is given up.

        Raises:
            NetworkError: No answer, or a refusal (`status`, and `retry_after` where it can be
                read, say which).
        """


class Locks(Protocol):
    """Mutual exclusion among everything that shares this store: tabs, workers, processes."""

    def hold(self, name: str) -> AbstractAsyncContextManager[None]:
        """Wait for the lock and hold it."""

    def attempt(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Hold the lock if nobody else does; tells whether it is held."""

    def share(self, name: str) -> AbstractAsyncContextManager[None]:
        """Hold the lock together with others who share it; `attempt` fails meanwhile."""


class Channel(Protocol):
    """Messages among everything that shares this store, but for who sends them."""

    def post(self, message: Record) -> None:
        """Tell the others; there need not be any."""

    def listen(self, listener: Callable[[Record], None]) -> None:
        """Call a function with each message from now on."""


class Images(Protocol):
    """Decodes and scales images."""

    async def decode(self, source: object, *, width: int, height: int, crop: float) -> NDArray[Any]:
        """Decode, turn upright (EXIF), crop to the centre, scale.

        Args:
            source: Encoded bytes, a Blob, what the platform calls an image, or a uint8 array
                [height, width, 3].
            width: Of the result, in pixels.
            height: Of the result, in pixels.
            crop: Which part of the largest centred rectangle of that aspect is kept, 0 < crop ≤ 1.

        Returns:
            RGB, uint8 [height, width, 3].

        Raises:
            ImageError: It is no image that this platform can read.
        """


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key as The Update Framework writes it.

    Attributes:
        keytype: "ed25519", "ecdsa", "rsa".
        scheme: "ed25519", "ecdsa-sha2-nistp256", "rsassa-pss-sha256", and so on.
        public: Hex digits (ed25519), or PEM (all others).
    """

    keytype: str
    scheme: str
    public: str


class Signatures(Protocol):
    """Verifies signatures."""

    @property
    def kinds(self) -> frozenset[tuple[str, str]]:
        """Key types and schemes that it knows."""

    async def verify(self, key: PublicKey, signature: bytes, data: bytes) -> bool:
        """Whether the key made this signature over the data; False for a broken key, too."""


class Clock(Protocol):
    """The time of day, and time that passes."""

    def now(self) -> str:
        """UTC in ISO 8601."""

    def monotonic(self) -> float:
        """Seconds since some moment; nobody sets this clock."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class Sensors(Protocol):
    """What the device says of itself. Whatever it does not say, or not here, is None."""

    async def read(self) -> DeviceProfile:
        """All of it, right now."""

    def listen(
        self, listener: Callable[[DeviceProfile], Awaitable[None] | None]
    ) -> Callable[[], None]:
        """Call a function, or a coroutine function, with the present state and with each new one.

        However often a sensor changes, calls come four times a second at most, with the newest
        state; a coroutine ends before the next one begins.

        Returns:
            What ends it. Sensors rest when nobody listens.
        """


class Platform(Protocol):
    """Everything outside, in one place."""

    @property
    def name(self) -> str:
        """As manifests name it: "browser" or "native"."""

    @property
    def place(self) -> str:
        """What sentences for people call it: "this browser lacks …"."""

    @property
    def features(self) -> frozenset[str]:
        """What is here of what variants and engines' builds may need.

        "relaxed-simd"; "threads"; "shared-memory", which WASM may have without threads, too.
        """

    @property
    def agent(self) -> str:
        """What runs Satchel here, engines included: another text after an update of any of it."""

    @property
    def memory_gib(self) -> float | None:
        """Memory of the device, where the platform says it without being asked long."""

    @property
    def engines(self) -> Mapping[str, InferenceEngine]:
        """The engines that are here, by name; whether one is, is told without making it."""

    @property
    def store(self) -> Store: ...

    @property
    def fetcher(self) -> Fetcher: ...

    @property
    def locks(self) -> Locks: ...

    @property
    def channel(self) -> Channel: ...

    @property
    def images(self) -> Images: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def random(self) -> Random: ...

    @property
    def sensors(self) -> Sensors: ...

    @property
    def signatures(self) -> Signatures | None:
        """Verifies signatures of metadata; None: python-tuf does it by itself."""

    def compose(self, slices: Sequence[Slice]) -> Blob:
        """One blob of all slices, whose bytes are read where they lie when they are needed."""

    def blob(self, data: object) -> Blob:
        """A blob of bytes-like data, or of what the platform calls bytes; copied once.

        Raises:
            TypeError: ``data`` holds no bytes.
        """


@cache
def current() -> Platform:
    """The platform this Python runs on."""
    if sys.platform == "emscripten":
        from satchel.platform.browser import BrowserPlatform

        return BrowserPlatform()
    from satchel.platform.native import NativePlatform

    return NativePlatform()
