"""Whether a model does what its release promises: its golden set, run on this device.

It runs in an engine of its own, so that a model that hangs or crashes takes nothing along.
"""

from __future__ import annotations

import asyncio

from satchel.errors import (
    EngineUnavailableError,
    InferenceTimeoutError,
    OutOfMemoryError,
    SatchelError,
    ValidationError,
)
from satchel.golden import GoldenSet
from satchel.manifest import Variant
from satchel.platform import Blob, InferenceEngine, Platform, SessionOptions
from satchel.tensors import check_names, fit

__all__ = ["limit", "validate"]

SLOWEST = 120.0
"""Seconds for a model when nothing is known of this device's speed: an old phone, a large model."""

SHORTEST = 20.0
"""Seconds that it always gets: most of it is starting the engine, whatever the model."""

FACTOR = 10.0
"""How many times as long as the active version it may take: a larger model is no broken one."""


def limit(known: float | None) -> float:
    """Seconds that validating may take.

    Args:
        known: Seconds that it took with the active version on this device.
    """
    return SLOWEST if known is None else max(SHORTEST, FACTOR * known)


async def validate(
    platform: Platform,
    model: Blob,
    variant: Variant,
    golden: GoldenSet,
    *,
    seconds: float,
    engine: InferenceEngine | None = None,
) -> float:
    """Load a model and run its golden set.

    Args:
        platform: Where.
        model: The model file.
        variant: How it is to be loaded.
        golden: What it must answer.
        seconds: For all of it.
        engine: Default: a fresh one, ended afterwards.

    Returns:
        Seconds that it took.

    Raises:
        ValidationError: It does not load, or answers otherwise.
        InferenceTimeoutError: It took too long. That can be the device's fault.
        OutOfMemoryError: It does not fit beside what runs.
        EngineUnavailableError: The engine does not start here.
    """
    started = platform.clock.monotonic()
    used = engine or platform.engines[variant.engine].fresh()
    try:
        async with asyncio.timeout(seconds):
            await _run(used, model, variant, golden)
    except TimeoutError as error:
        raise InferenceTimeoutError(
            f"The new version took longer than {seconds:.0f} seconds to prove itself",
            todo="It is tried again later",
        ) from error
    except (OutOfMemoryError, EngineUnavailableError, ValidationError):
        raise
    except SatchelError as error:
        raise ValidationError(
            "The new version does not work on this device", why=str(error), todo=KEPT
        ) from error
    finally:
        if engine is None:
            await used.close()
    return platform.clock.monotonic() - started


KEPT = "Nothing has changed here; tell whoever publishes the model"


async def _run(engine: InferenceEngine, model: Blob, variant: Variant, golden: GoldenSet) -> None:
    session = await engine.load(
        model, SessionOptions(variant.session.graph_optimization_level, variant.session.config)
    )
    try:
        for number, case in enumerate(golden.cases):
            check_names(case.inputs, session.inputs)
            feeds = {spec.name: fit(case.inputs[spec.name], spec) for spec in session.inputs}
            problem = golden.problem(number, await session.run(feeds))
            if problem is not None:
                raise ValidationError(
                    "The new version does not answer as its release promises",
                    why=f"In golden case {number + 1} of {len(golden.cases)}, {problem}",
                    todo=KEPT,
                )
    finally:
        await session.close()
