"""What turned out not to work on this device: remembered, so that it is not tried at each open.

One record, "unfit" in the table "meta": engines by name and variants' files by SHA-256, each with
how it failed, as a clause for people. It holds as long as Satchel and what runs it are the same:
another browser, or another build of an engine, may do better, and is asked anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from satchel.manifest import Variant
from satchel.platform import Platform, PutRecord
from satchel.variants import Abilities

__all__ = ["abilities", "forgotten", "now", "remembered"]

KEY = "unfit"

KEPT = 50
"""Failures; older ones go. Files of releases that are gone are among them."""

LONGEST = 200
"""Characters of an engine's own words."""


async def abilities(platform: Platform) -> Abilities:
    """What this device can do for a model, by what its platform says and by what was tried."""
    return replace(now(platform), unfit=await _known(platform))


def now(platform: Platform) -> Abilities:
    """What this device can do for a model by what its platform says alone."""
    return Abilities(frozenset(platform.engines), platform.features, place=platform.place)


async def remembered(platform: Platform, what: str, why: str) -> None:
    """Remember that an engine or a variant's file does not work here.

    Args:
        platform: Where.
        what: An engine's name, or the SHA-256 of a variant's file.
        why: How it failed: a clause.
    """
    async with platform.locks.hold("unfit"):
        known = {
            **await _known(platform),
            what: why if len(why) <= LONGEST else why[:LONGEST] + "…",
        }
        kept = dict(list(known.items())[-KEPT:])
        record = {"agent": platform.agent, "failures": kept}
        await platform.store.commit([PutRecord("meta", KEY, record)])


async def forgotten(platform: Platform, variant: Variant) -> None:
    """Forget what failed of a variant: it has worked."""
    async with platform.locks.hold("unfit"):
        known = await _known(platform)
        left = {
            what: why
            for what, why in known.items()
            if what not in (variant.engine, variant.blob.sha256)
        }
        if left != known:
            record = {"agent": platform.agent, "failures": left}
            await platform.store.commit([PutRecord("meta", KEY, record)])


async def _known(platform: Platform) -> Mapping[str, str]:
    record = await platform.store.record("meta", KEY)
    if record is None or record["agent"] != platform.agent:
        return {}
    failures: Mapping[str, str] = record["failures"]
    return failures
