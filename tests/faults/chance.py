"""Cases by chance: a seed gives the same ones each time."""

from __future__ import annotations

import random

from case import Case, rule
from matrix import BLOB, GOLDEN, INDEX, MANIFEST, SNAPSHOT, TARGETS, TIMESTAMP

PLACES = (TIMESTAMP, SNAPSHOT, TARGETS, MANIFEST, INDEX, GOLDEN, BLOB, BLOB, BLOB, BLOB, BLOB)
"""Where it strikes: most often where most of the bytes are."""


def cases(seed: int, count: int) -> list[Case]:
    """Cases with up to three faults each, and sometimes a pause or a damaged store.

    Args:
        seed: Any number.
        count: How many.
    """
    dice = random.Random(seed)
    return [_case(dice, f"seed-{seed}-{number}") for number in range(count)]


def _case(dice: random.Random, name: str) -> Case:
    rules = tuple(_rule(dice) for _ in range(dice.randint(1, 3)))
    words = "; ".join(_words(one) for one in rules)
    pause = dice.randrange(1, 1_600_000) if dice.random() < 0.3 else None
    damage = dice.choice(("part", "active", "lost")) if dice.random() < 0.2 else None
    return Case(name, "any", words, rules, ends="any", pause=pause, damage=damage)


def _rule(dice: random.Random) -> dict:
    share = {"at": round(dice.random(), 4)}
    fault, options = dice.choice(
        [
            *[(name, share) for name in ("cut_reset", "cut_end", "cut_chunked", "truncated")],
            ("silent_close", share),
            ("flipped", share),
            ("misplaced", {"by": dice.randrange(1, 100_000)}),
            ("short_range", {"most": dice.randrange(1, 400_000)}),
            ("appended", {"size": dice.randrange(1, 100_000)}),
            ("refused", {"status": dice.choice((403, 404, 408, 416, 429, 500, 502, 503))}),
            *[(name, {}) for name in ("replaced", "empty", "page", "garbage", "whole", "zipped")],
        ]
    )
    # What lasts through all of a download's own attempts, and what doesn't.
    times = {"times": dice.randint(1, 6), "skip": dice.randint(0, 2)}
    return rule(dice.choice(PLACES), fault, **options, **times)


def _words(one: dict) -> str:
    options = {key: value for key, value in one.items() if key not in ("path", "fault")}
    return f"{one['fault']} {options} at {one['path']}"
