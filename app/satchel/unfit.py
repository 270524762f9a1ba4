"""What turned out not to work on this device: remembered, so that it is not tried at each open.

One record, "unfit" in the table "meta": engines by name and variants' files by SHA-256, each with
how it failed, as a clause for people. It holds as long as Satchel and what runs it are the same:
another browser, or another build of an engine, may do better, and is asked anew. An engine whose
files could not be fetched says nothing about the device: that holds until the page or program ends.

A heavy load can end the page, for want of memory, without a word to anybody. So it leaves a mark in
the record before, and takes it away after: what is found marked at the next start, and nobody is
loading, is to blame. The mark names what takes at least as much memory besides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from weakref import WeakKeyDictionary

from satchel.errors import SatchelError
from satchel.footprints import SMALL_MEMORY
from satchel.manifest import Variant
from satchel.platform import Platform, PutRecord, Record
from satchel.variants import Abilities, failure, footprint

__all__ = [
    "ENDED",
    "abilities",
    "forgotten",
    "heavy",
    "lasting",
    "marked",
    "now",
    "remembered",
    "today",
]

ENDED = "ended this page when it was loaded last time"
"""How the clause about such a variant ends."""

HEAVY = 128 * 2**20
"""Bytes that a model takes from which on loading it is marked on every device. A mark costs two
commits: some milliseconds."""

KEY = "unfit"

KEPT = 50
"""Failures; older ones go. Files of releases that are gone are among them."""

LONGEST = 200
"""Characters of an engine's own words."""

_UNREACHED = "fetch", "dynamically imported", "importing a module", "load failed", "networkerror"
"""What browsers say of a script or WASM that did not arrive; there is no code for it."""

_passing: WeakKeyDictionary[Platform, dict[str, str]] = WeakKeyDictionary()


async def abilities(platform: Platform) -> Abilities:
    """What this device can do for a model, by what its platform says and by what was tried."""
    return today(platform, await lasting(platform))


async def lasting(platform: Platform) -> Abilities:
    """The same without what only holds until the page or program ends."""
    return replace(now(platform), unfit=await _known(platform))


def today(platform: Platform, known: Abilities) -> Abilities:
    """The same with it."""
    return replace(known, unfit={**known.unfit, **_passing.get(platform, {})})


def now(platform: Platform) -> Abilities:
    """What this device can do for a model by what its platform says alone."""
    return Abilities(frozenset(platform.engines), platform.features, place=platform.place)


async def remembered(platform: Platform, variant: Variant, error: SatchelError) -> None:
    """Remember that a variant, or its engine, does not work here.

    Args:
        platform: Where.
        variant: The variant.
        error: What it ended in.
    """
    what, why = failure(variant, error, platform.place)
    why = why if len(why) <= LONGEST else why[:LONGEST] + "…"
    if what == variant.engine and any(words in error.why.lower() for words in _UNREACHED):
        _passing.setdefault(platform, {})[what] = why
        return
    async with platform.locks.hold("unfit"):
        record = await _record(platform)
        known = {**record["failures"], what: why}
        await _keep(platform, record | {"failures": dict(list(known.items())[-KEPT:])})


async def forgotten(platform: Platform, variant: Variant) -> None:
    """Forget what failed of a variant: it has worked."""
    _passing.pop(platform, None)
    async with platform.locks.hold("unfit"):
        record = await _record(platform)
        known = record["failures"]
        left = {
            what: why
            for what, why in known.items()
            if what not in (variant.engine, variant.blob.sha256)
        }
        if left != known:
            await _keep(platform, record | {"failures": left})


def heavy(variant: Variant, memory_gib: float | None) -> bool:
    """Whether loading a variant may end the page: it is large, or the device small."""
    small = memory_gib is not None and memory_gib <= SMALL_MEMORY
    return small or footprint(variant) >= HEAVY


@asynccontextmanager
async def marked(
    platform: Platform, variant: Variant, published: Sequence[Variant]
) -> AsyncIterator[None]:
    """Load a variant in this: should that end the page, the next start takes a smaller one.

    Args:
        platform: Where.
        variant: The variant.
        published: All variants of its release.
    """
    digest = variant.blob.sha256
    larger = [other for other in published if footprint(other) >= footprint(variant)]
    if len(larger) == len(published):
        yield  # nothing smaller could be taken
        return
    async with platform.locks.share(_loading(digest)):
        await _mark(platform, digest, {one.blob.sha256: one.name for one in larger})
        try:
            yield
        finally:
            await _mark(platform, digest, None)


def _loading(digest: str) -> str:
    return f"loading:{digest}"


async def _mark(platform: Platform, digest: str, larger: Record | None) -> None:
    async with platform.locks.hold("unfit"):
        record = await _record(platform)
        marks = {key: value for key, value in record["marks"].items() if key != digest}
        if larger is not None:
            marks[digest] = larger
        await _keep(platform, record | {"marks": marks})


async def _blamed(platform: Platform) -> Record:
    """The record, where something is marked that nobody is loading."""
    async with platform.locks.hold("unfit"):
        record = await _record(platform)
        marks, failures = dict(record["marks"]), dict(record["failures"])
        for digest, larger in record["marks"].items():
            async with platform.locks.attempt(_loading(digest)) as nobody:
                if nobody:
                    del marks[digest]
                    failures |= {what: f"“{name}” {ENDED}" for what, name in larger.items()}
        record |= {"marks": marks, "failures": failures}
        await _keep(platform, record)
    return record


async def _keep(platform: Platform, record: Record) -> None:
    await platform.store.commit([PutRecord("meta", KEY, record)])


async def _known(platform: Platform) -> Mapping[str, str]:
    record = await _record(platform)
    if record["marks"]:
        record = await _blamed(platform)
    failures: Mapping[str, str] = record["failures"]
    return failures


async def _record(platform: Platform) -> Record:
    empty: Record = {"agent": platform.agent, "failures": {}, "marks": {}}
    record = await platform.store.record("meta", KEY)
    if record is None or record["agent"] != platform.agent:
        return empty
    return empty | record
