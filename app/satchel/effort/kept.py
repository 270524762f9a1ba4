"""What is known of how models run on this device, kept from one visit to the next.

One record, "effort" in the table "meta": by a model's name and version, the threads that measured
best, seconds of each variant on one thread, and usual latencies. It holds as long as what runs
Satchel is the same, as `satchel.unfit` has it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field

from satchel.adaptive.drift import Watch
from satchel.adaptive.latencies import Latencies, Work
from satchel.platform import Platform, PutRecord, Record

__all__ = ["Kept", "keep", "known", "usual"]

KEY = "effort"

MODELS = 20
"""Models that are remembered; the one that changed longest ago goes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of one model.

    Attributes:
        threads: How many measured best; None: nobody tried.
        seconds: Of one answer on one thread, by variant.
        usual: Baselines of latencies: their logarithm of milliseconds, and how it wavers.
    """

    threads: int | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    usual: Mapping[Work, tuple[float, float]] = field(default_factory=dict)

    @property
    def latencies(self) -> Latencies:
        """To go on from."""
        return Latencies(
            {
                work: Watch(baseline=baseline, wobble=wobble)
                for work, (baseline, wobble) in self.usual.items()
            }
        )


def usual(latencies: Latencies) -> dict[Work, tuple[float, float]]:
    """The baselines of what was seen, as `Kept` has them: what is slow now is not usual."""
    return {
        work: (watch.baseline, watch.wobble)
        for work, watch in latencies.watches.items()
        if watch.baseline is not None and not watch.slow
    }


async def known(platform: Platform, name: str) -> Kept:
    """What is known of a model, by its name and version."""
    found = (await _models(platform)).get(name)
    return Kept() if found is None else _read(found)


async def keep(platform: Platform, name: str, kept: Kept) -> None:
    """Keep what is known of a model now."""
    record: Record = {
        "threads": kept.threads,
        "seconds": dict(kept.seconds),
        "usual": [
            [*astuple(work), baseline, wobble] for work, (baseline, wobble) in kept.usual.items()
        ],
    }
    async with platform.locks.hold(KEY):
        models = await _models(platform)
        models.pop(name, None)
        models[name] = record
        whole = {"agent": platform.agent, "models": dict(list(models.items())[-MODELS:])}
        await platform.store.commit([PutRecord("meta", KEY, whole)])


async def _models(platform: Platform) -> dict[str, Record]:
    record = await platform.store.record("meta", KEY)
    if record is None or record["agent"] != platform.agent:
        return {}
    models: dict[str, Record] = record["models"]
    return models


def _read(record: Record) -> Kept:
    return Kept(
        record["threads"],
        record["seconds"],
        {
            Work(*work): (baseline, wobble)
            for *work, baseline, wobble in record["usual"]
            if math.isfinite(baseline) and math.isfinite(wobble)
        },
    )
