"""What happened to the models on this device: one bounded list, changed with what it tells of.

The record "history" in the table "meta" is written in the same commit as the change, so that a
change without its entry, or an entry without its change, cannot be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from satchel.installed import InstalledModel
from satchel.platform import PutRecord, Store

__all__ = ["Entry", "added", "cleared", "entry", "read"]

KEPT = 50
"""Entries; older ones go."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Attributes:
        at: UTC in ISO 8601.
        model: Its id.
        title: For people.
        before: The version that was active; None: none was.
        after: The version that is active since; None: none is.
        outcome: "installed", "updated", "rolled back", "failed", "withdrawn", "repaired",
            "switched" (to another variant of the same version) or "removed".
        text: A sentence for people.
    """

    at: str
    model: str
    title: str
    before: str | None
    after: str | None
    outcome: str
    text: str


def entry(
    at: str,
    old: InstalledModel | None,
    new: InstalledModel | None,
    outcome: str,
    text: str = "",
) -> Entry:
    """An entry of a change.

    In its text `{before}` and `{after}` become the versions, `{reason}` why the variant is in use.

    Args:
        at: UTC in ISO 8601.
        old: The model before; None: it was not here.
        new: The model after; None: it is gone.
        outcome: See `Entry`.
        text: A sentence for people.
    """
    known = new or old
    if known is None:
        raise ValueError("an entry is of a model")
    before, after = (str(model.active) if model else None for model in (old, new))
    words = text.replace("{before}", str(before)).replace("{after}", str(after))
    words = words.replace("{reason}", known.reason or "A better variant has come.")
    return Entry(at, known.model, known.title, before, after, outcome, words)


async def read(store: Store) -> tuple[Entry, ...]:
    """All entries, newest first."""
    record = await store.record("meta", "history") or {"entries": []}
    return tuple(Entry(**entry) for entry in record["entries"])


async def added(store: Store, *entries: Entry) -> PutRecord:
    """The change that adds entries; the caller holds the lock "library"."""
    return _record((*reversed(entries), *await read(store))[:KEPT])


def cleared() -> PutRecord:
    """The change that forgets all of it."""
    return _record(())


def _record(entries: Sequence[Entry]) -> PutRecord:
    return PutRecord("meta", "history", {"entries": [asdict(entry) for entry in entries]})
