"""What may go when a model needs room: pure decisions.

First versions that are kept only to go back to, then models that nobody uses, those first that were
not opened for longest. Never the active version of the model that needs the room, nor a model that
is in use, nor a pinned version.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from satchel.installed import InstalledModel

__all__ = ["Eviction", "evictions", "freed"]


@dataclass(frozen=True, slots=True)
class Eviction:
    """One thing that goes.

    Attributes:
        model: A model's id.
        whole: All of the model; otherwise only the version kept to go back to.
    """

    model: str
    whole: bool


def evictions(
    models: Sequence[InstalledModel], busy: Collection[str], target: str, missing: int
) -> tuple[Eviction, ...] | None:
    """The fewest things that free enough, or None where that cannot be.

    Args:
        models: All that are installed.
        busy: Ids of models in use.
        target: Id of the model that needs the room.
        missing: Bytes to free.
    """
    oldest = sorted(models, key=lambda model: (model.model != target, model.used_at))
    previous = [
        Eviction(model.model, whole=False)
        for model in oldest
        if model.previous is not None and model.previous != model.pinned
    ]
    unused = [
        Eviction(model.model, whole=True)
        for model in oldest
        if model.model != target and model.model not in busy
    ]
    chosen: list[Eviction] = []
    for eviction in (*previous, *unused):
        if freed(models, chosen) >= missing:
            break
        chosen.append(eviction)
    return tuple(chosen) if freed(models, chosen) >= missing else None


def freed(models: Sequence[InstalledModel], chosen: Iterable[Eviction]) -> int:
    """Bytes that evictions free; what another version or model shares stays."""
    whole = {eviction.model for eviction in chosen if eviction.whole}
    previous = {eviction.model for eviction in chosen if not eviction.whole}
    left = [
        model.without_previous() if model.model in previous else model
        for model in models
        if model.model not in whole
    ]
    return _bytes(models) - _bytes(left)


def _bytes(models: Iterable[InstalledModel]) -> int:
    needed = {
        item for model in models for version in model.versions.values()
        for item in version.references
    }  # fmt: skip
    return sum(item.size for item in needed)
