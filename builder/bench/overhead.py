"""What adaptation takes for itself of a label: runs in the page's Python, in the engine's worker.

Nothing here is called where the rest of `builder` runs: `adaptive` hands this file to the page.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

import satchel
from satchel.runtime import Clocked
from satchel.tasks import Label

WARM_UP = 5


async def measured(rounds: int) -> list[list[float]]:
    """Label the same pixels, with adaptation and without it in turns, on one session.

    Adaptation's own time is what passes before the work begins, after it is done, and while it
    takes note in between of how long the model ran. The rest is the same for both, and is not told
    apart from chance by comparing them: so that is given, too, but only beside it.

    Args:
        rounds: How often each.

    Returns:
        For each round: adaptation's own time, a label with it, and one without it, in seconds.
    """
    adaptive = satchel.AdaptiveInference(override="full")
    usual = await Label.open()
    decision = await adaptive.consider(usual)
    label = await Label.open(variant=decision.variant, threads=decision.threads)
    pixels = np.zeros((label.height, label.width, 3), np.uint8)
    found = []
    for number in range(-WARM_UP, rounds):
        if number % 2:
            without = await _without(label, pixels)
            told = await _with(adaptive, label, pixels)
        else:
            told = await _with(adaptive, label, pixels)
            without = await _without(label, pixels)
        if number >= 0:
            found.append([*told, without])
    await adaptive.close()
    await label.close()
    await usual.close()
    return found


async def _with(
    adaptive: satchel.AdaptiveInference, label: Label, pixels: NDArray[Any]
) -> tuple[float, float]:
    """Adaptation's own time and the whole, in seconds."""
    marks: list[float] = []

    async def work(member: Label) -> None:
        if member is not label:
            raise RuntimeError(f"{member.runtime.variant} ran, not {label.runtime.variant}.")
        marks.append(time.perf_counter())
        await member.classify(pixels)
        marks.append(time.perf_counter())

    notes: list[float] = []
    took_note = label.runtime.clocked
    if took_note is not None:
        label.runtime.clocked = _timed(took_note, notes)
    began = time.perf_counter()
    await adaptive.perform(label, work)
    ended = time.perf_counter()
    label.runtime.clocked = took_note
    before, after = marks
    return before - began + sum(notes) + ended - after, ended - began


async def _without(label: Label, pixels: NDArray[Any]) -> float:
    """The whole, in seconds."""
    took_note, label.runtime.clocked = label.runtime.clocked, None
    began = time.perf_counter()
    await label.classify(pixels)
    ended = time.perf_counter()
    label.runtime.clocked = took_note
    return ended - began


def _timed(inner: Clocked, notes: list[float]) -> Clocked:
    def outer(seconds: float, values: int) -> None:
        began = time.perf_counter()
        inner(seconds, values)
        notes.append(time.perf_counter() - began)

    return outer
