"""Satchel's arm, in Pyodide: what `worker.mjs` calls."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import satchel
from satchel import chunks, digests, offers, transfer
from satchel.installer import Installer
from satchel.library import Library
from satchel.manifest import Manifest, Reference
from satchel.platform import DeleteBlob, DeleteParts, Piece, PutBlob
from satchel.platform.browser import BrowserPlatform
from satchel.platform.browser.fetcher import BrowserFetcher
from satchel.transfer import Source

STEPS = ("download", "verify", "store")


class CountedAnswer:
    """Counts what of an answer is read."""

    def __init__(self, fetcher: CountingFetcher, answer: Any) -> None:
        self._fetcher, self._answer = fetcher, answer
        self.whole, self.start = answer.whole, answer.start

    async def __aiter__(self) -> AsyncIterator[Piece]:
        async for piece in self._answer:
            self._fetcher.read += piece.size
            yield piece


class CountingFetcher(BrowserFetcher):
    """Counts the bytes that the page reads."""

    read = 0

    @asynccontextmanager
    async def get(self, url: str, span: Any = None, **more: Any) -> AsyncIterator[Any]:
        """The same GET."""
        async with super().get(url, span, **more) as answer:
            yield CountedAnswer(self, answer)


satchel.configure(scope="bench", ort_url="ort/ort.wasm.bundle.min.mjs")
platform = BrowserPlatform()
platform.fetcher = fetcher = CountingFetcher()


def known(facts: dict[str, Any]) -> tuple[Reference, tuple[chunks.Chunk, ...]]:
    """What a manifest and a chunk index say of a file."""
    index = chunks.decode(bytes.fromhex(facts["chunks"]), facts["size"])
    return Reference(facts["sha256"], facts["size"]), index


async def install(file: str, source: str) -> str:
    """Download a file, verify it and store it, with what another one that is here has of it.

    Returns:
        JSON: the milliseconds of each step, and the bytes that were read.
    """
    facts, older = json.loads(file), json.loads(source)
    wanted, index = known(facts)
    sources = []
    if older is not None:
        reference, others = known(older)
        kept = await platform.store.blob(reference.sha256)
        sources = [Source(kept, others)] if kept else []
    fetcher.read = 0
    moments = [time.perf_counter()]
    plan = transfer.plan(wanted, index, sources, await platform.store.parts(wanted.sha256))
    await transfer.download(platform, facts["url"], plan)
    moments.append(time.perf_counter())
    blob = await transfer.assemble(platform, plan)
    if not await digests.verified(blob, wanted):
        raise ValueError("what was stored is not what was served")
    moments.append(time.perf_counter())
    await platform.store.commit([PutBlob(wanted.sha256, blob), DeleteParts(wanted.sha256)])
    moments.append(time.perf_counter())
    times = [1000 * (later - earlier) for earlier, later in itertools.pairwise(moments)]
    return json.dumps({**dict(zip(STEPS, times, strict=True)), "read": fetcher.read})


async def versions(first: str, second: str, place: str, turns: int) -> str:
    """Install one version of a model, update it to another, and go back and forth between them.

    Args:
        first: Its manifest, with one release.
        second: The other's.
        place: The URL before a blob's SHA-256.
        turns: How often to go back, and to open what is active then.

    Returns:
        JSON: milliseconds of the validation, and of each `rollback` and each `open`, which ends
        with a session.
    """
    library = Library(platform)
    installer = Installer(library, platform, lambda item: place + item.sha256)
    installed = await installer.install(Manifest.parse(first))
    manifest = Manifest.parse(second)
    need = await installer.download(offers.made(manifest, manifest.releases[0], platform))
    await installer.verify(need)
    started = time.perf_counter()
    took = await installer.validate(need)
    validation = 1000 * (time.perf_counter() - started)
    await installer.activate(need, took)
    times: dict[str, list[float]] = {"rollback": [], "open": []}
    for _ in range(turns):
        started = time.perf_counter()
        await library.rollback(installed.model)
        back = time.perf_counter()
        runtime = await library.open(installed.model)
        await runtime.load()
        times["open"].append(1000 * (time.perf_counter() - back))
        times["rollback"].append(1000 * (back - started))
        await runtime.close()
    return json.dumps({"validation": validation, **times})


async def clear() -> None:
    """Remove what was stored."""
    await platform.store.commit([DeleteBlob(name) for name in await platform.store.blobs()])
