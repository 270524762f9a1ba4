"""What may go when a model needs room: pure decisions.

First variants beside the one in use, which can be had again; then versions that are kept only to go
back to, then models that nobody uses, those first that were not opened for longest. Never the
variant in use of the model that needs the room, nor anything but the version before of a model that
is open, nor a pinned version.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from satchel.installed import InstalledModel

__all__ = ["Eviction", "evictions", "freed", "without"]


@dataclass(frozen=True, slots=True)
class Eviction:
    """One thing that goes.

    Attributes:
        model: A model's id.
        part: "others": the variants beside those in use; "previous": the version kept to go back
            to; "all": the model.
    """

    model: str
    part: Literal["others", "previous", "all"]


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
    others = [
        Eviction(model.model, "others")
        for model in oldest
        if model.model not in busy and model.without_others() != model
    ]
    previous = [
        Eviction(model.model, "previous")
        for model in oldest
        if model.previous is not None and model.previous != model.pinned
    ]
    unused = [
        Eviction(model.model, "all")
        for model in oldest
        if model.model != target and model.model not in busy
    ]
    chosen: list[Eviction] = []
    for eviction in (*others, *previous, *unused):
        if freed(models, chosen) >= missing:
            break
        chosen.append(eviction)
    return tuple(chosen) if freed(models, chosen) >= missing else None


def freed(models: Sequence[InstalledModel], chosen: Iterable[Eviction]) -> int:
    """Bytes that evictions free; what another version or model shares stays."""
    left = {model.model: model for model in models}
    for eviction in chosen:
        model = left.pop(eviction.model)
        if eviction.part != "all":
            left[model.model] = without(model, eviction)
    return _bytes(models) - _bytes(left.values())


def without(model: InstalledModel, eviction: Eviction) -> InstalledModel:
    """A model after something of it went."""
    return model.without_others() if eviction.part == "others" else model.without_previous()


def _bytes(models: Iterable[InstalledModel]) -> int:
    needed = {
        item for model in models for version in model.versions.values()
        for item in version.references
    }  # fmt: skip
    return sum(item.size for item in needed)
