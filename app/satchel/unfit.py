"""What turned out not to work on this device: remembered, so that it is not tried at each open.

One record, "unfit" in the table "meta": engines by name and variants' files by SHA-256, each with
how it failed, as a clause for people. It holds as long as Satchel and what runs it are the same:
another browser, or another build of an engine, may do better, and is asked anew. An engine whose
files could not be fetched says nothing about the device: that holds until the page or program ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from weakref import WeakKeyDictionary

from satchel.errors import SatchelError
from satchel.manifest import Variant
from satchel.platform import Platform, PutRecord
from satchel.variants import Abilities, failure

__all__ = ["abilities", "forgotten", "lasting", "now", "remembered", "today"]

KEY = "unfit"

KEPT = 50
"""Failures; older ones go. Files of releases that are gone are among them."""

LONGEST = 200
"""Characters of an engine's own words."""

_UNREACHED = re.compile(
    r"fetch|dynamically imported|importing a module|load failed|networkerror", re.IGNORECASE
)
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
    if what == variant.engine and _UNREACHED.search(error.why):
        _passing.setdefault(platform, {})[what] = why
        return
    async with platform.locks.hold("unfit"):
        known = {**await _known(platform), what: why}
        await _keep(platform, dict(list(known.items())[-KEPT:]))


async def forgotten(platform: Platform, variant: Variant) -> None:
    """Forget what failed of a variant: it has worked."""
    _passing.pop(platform, None)
    async with platform.locks.hold("unfit"):
        known = await _known(platform)
        left = {
            what: why
            for what, why in known.items()
            if what not in (variant.engine, variant.blob.sha256)
        }
        if left != known:
            await _keep(platform, left)


async def _keep(platform: Platform, failures: Mapping[str, str]) -> None:
    record = {"agent": platform.agent, "failures": dict(failures)}
    await platform.store.commit([PutRecord("meta", KEY, record)])


async def _known(platform: Platform) -> Mapping[str, str]:
    record = await platform.store.record("meta", KEY)
    if record is None or record["agent"] != platform.agent:
        return {}
    failures: Mapping[str, str] = record["failures"]
    return failures
