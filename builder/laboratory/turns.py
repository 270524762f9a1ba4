"""Who is measured beside whom, how often, and in which order: pure functions."""

import math
from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

from satchel_models.measurement import Contestant, Schedule

T = TypeVar("T")

GROUP_BYTES = 1_600_000_000
"""What the sessions of one worker may take together: WASM has 4 GB, holds each model twice while a
session is made, and never gives anything back (onnxruntime#21673)."""


def groups(contestants: Sequence[Contestant], limit: int = GROUP_BYTES) -> list[list[Contestant]]:
    """Return the contestants in groups that fit a worker, the first one in each of them.

    Args:
        contestants: The first one is what the others are compared with.
        limit: Bytes of a group.
    """
    first, *others = contestants
    made = [[first]]
    for contestant in others:
        used = sum(member.memory for member in made[-1])
        if len(made[-1]) > 1 and used + contestant.memory > limit:
            made.append([first])
        made[-1].append(contestant)
    return made


def orders(names: Sequence[T], rounds: int, seed: int) -> Iterator[list[T]]:
    """Yield one random order for each round."""
    random = np.random.default_rng(seed)
    for _ in range(rounds):
        yield [names[int(k)] for k in random.permutation(len(names))]


def length(fastest_ms: float, schedule: Schedule) -> int:
    """Return how many inferences a turn has, given what one takes."""
    wanted = math.ceil(schedule.turn_ms / max(fastest_ms, 0.01))
    return max(schedule.least, min(schedule.most, wanted))


def count(contestants: Sequence[Contestant], schedule: Schedule, limit: int = GROUP_BYTES) -> int:
    """Return how many turns and sessions a whole measurement has."""
    kinds = len(contestants[0].feeds)
    found = 0
    for threads in schedule.threads:
        there = [one for one in contestants if threads in one.threads]
        sessions = schedule.sessions if threads == schedule.threads[0] else 0
        found += sum(map(len, groups(there, limit))) * (kinds * schedule.rounds + sessions)
    return found
