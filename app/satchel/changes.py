"""What can become of an installed model: pure steps from one state to the next."""

from __future__ import annotations

from dataclasses import replace

from satchel.errors import (
    LibraryError,
    ModelNotFoundError,
    VariantMissingError,
    WithdrawnError,
)
from satchel.installed import InstalledModel, Probation
from satchel.variants import Abilities, against, best, engine_title, none_runs, reason
from satchel.versions import Version

__all__ = [
    "counted",
    "fallen_back",
    "insisted",
    "left",
    "offered_again",
    "pinned",
    "rolled_back",
    "set_aside",
    "settled",
    "unpinned",
    "with_variant",
    "without_variant",
]


def rolled_back(model: InstalledModel) -> InstalledModel:
    """The person goes back to the version before; the one so far stays, to go back to in turn.

    Raises:
        LibraryError: There is none.
        WithdrawnError: It was withdrawn.
    """
    if model.previous is None:
        raise LibraryError(f"'{model.model}' has no previous version on this device")
    _allowed(model, model.previous)
    return replace(model.back_to(model.previous, why="You went back from it."), pinned=None)


def pinned(model: InstalledModel, version: Version) -> InstalledModel:
    """The person keeps the model at an installed version.

    Raises:
        ModelNotFoundError: It is not installed.
        WithdrawnError: It was withdrawn.
    """
    if version not in model.versions:
        raise ModelNotFoundError(f"'{model.model}' {version} is not on this device")
    _allowed(model, version)
    if version == model.active:
        return replace(model, pinned=version)
    return replace(
        model, active=version, previous=model.active, pinned=version, probation=None
    ).tidied()


def unpinned(model: InstalledModel) -> InstalledModel:
    """The model follows updates again."""
    return replace(model, pinned=None).tidied()


def left(model: InstalledModel) -> InstalledModel:
    """The active version was withdrawn: the one before is used.

    Raises:
        WithdrawnError: There is none that may be.
    """
    if model.way_back is None:
        raise WithdrawnError(
            f"{model.title} {model.active} was withdrawn by whoever published it, and no other"
            " version is on this device",
            todo="Go online to get another one",
        )
    changed = model.back_to(model.way_back, why="It was withdrawn.", keep=False)
    return changed if changed.pinned == changed.active else unpinned(changed)


def counted(
    model: InstalledModel, version: Version, runs: int, wrong: str | None
) -> InstalledModel:
    """Some runs of a version on probation: it goes on, is over, or the version before comes back.

    Args:
        model: The model.
        version: The version that ran.
        runs: How many more.
        wrong: What was wrong with the last of them; None: nothing.
    """
    if model.active != version or model.probation is None:
        return model
    trial = Probation(model.probation.runs + runs, model.probation.failures + (wrong is not None))
    if not trial.failed:
        return replace(model, probation=None if trial.over else trial)
    if model.way_back is None:
        return replace(model, probation=None)  # bad as it is, there is nothing else
    why = f"It failed in {trial.failures} of its first {trial.runs} runs: {wrong}"
    return model.back_to(model.way_back, why=why, keep=False)


def fallen_back(model: InstalledModel) -> InstalledModel:
    """The active version's files are damaged: the one before is used, and this one may come again.

    Raises:
        LibraryError: There is none that may be used.
    """
    if model.way_back is None:
        raise LibraryError(f"'{model.model}' has no previous version on this device")
    changed = model.back_to(model.way_back, why="", keep=False)
    return replace(offered_again(changed, model.active), pinned=None)


def set_aside(model: InstalledModel, version: Version, why: str) -> InstalledModel:
    """A version is not to be offered again."""
    return replace(model, set_aside={**model.set_aside, version: why})


def offered_again(model: InstalledModel, version: Version) -> InstalledModel:
    """A version that was set aside may be offered again."""
    kept = {key: why for key, why in model.set_aside.items() if key != version}
    return replace(model, set_aside=kept)


def settled(model: InstalledModel, abilities: Abilities) -> InstalledModel:
    """The active version at the best of its variants that are here and that the device can use.

    One that it can't use any more stays here, for the day when it can; one that it could use goes
    when a better one has come.

    Raises:
        VariantMissingError: It can use none that is here, but another one of the release.
    """
    now = model.current
    here = [variant for variant in now.here if not against(variant, abilities)]
    if not here:
        return _unusable(model, abilities)
    used = now.variant if now.insisted and now.variant in here else here[0]
    why = reason(used, now.published, abilities)
    if used.name == now.chosen:
        return model.with_current(replace(now, reason=why))
    left = [] if now.variant in here else [now.chosen]
    others = tuple(name for name in (*now.others, *left) if name != used.name)
    return model.with_current(replace(now, chosen=used.name, others=others, reason=why))


def _unusable(model: InstalledModel, abilities: Abilities) -> InstalledModel:
    now = model.current
    other = best(now.published, abilities)
    if other is None or other.variant in now.here:
        return model  # whoever loads it hears from the engine what is wrong
    size = sum(item.size for item in other.variant.references()) / 1e6
    raise VariantMissingError(
        f"What is on this device of {model.title} {model.active} can't run here",
        why=none_runs(now.here, abilities),
        todo=f"Go online once, to get its variant for {engine_title(other.variant.engine)}"
        f" ({size:.1f} MB)",
        model=model.model,
        variant=other.variant.name,
    )


def with_variant(model: InstalledModel, version: Version, name: str) -> InstalledModel:
    """One more variant of the active version is here.

    Raises:
        LibraryError: Another version is active meanwhile.
    """
    now = model.current
    if model.active != version:
        raise LibraryError(
            f"{model.title} went from {version} to {model.active} meanwhile", todo="Try again"
        )
    if name in (now.chosen, *now.others):
        return model
    return model.with_current(replace(now, others=(*now.others, name)))


def without_variant(model: InstalledModel, name: str) -> InstalledModel:
    """A variant of the active version goes.

    Raises:
        ModelNotFoundError: It is not here.
        LibraryError: It is the one in use.
    """
    now = model.current
    if name == now.chosen:
        raise LibraryError(
            f"'{name}' is the variant of {model.title} in use",
            todo="Switch to another one first, or delete the model",
        )
    if name not in now.others:
        raise ModelNotFoundError(f"'{name}' of {model.title} is not on this device")
    kept = tuple(other for other in now.others if other != name)
    return model.with_current(replace(now, others=kept))


def insisted(model: InstalledModel, name: str) -> InstalledModel:
    """Somebody wants a variant that is here, whatever the device would choose.

    Raises:
        ModelNotFoundError: It is not here.
    """
    now = model.current
    if name not in (now.chosen, *now.others):
        raise ModelNotFoundError(f"'{name}' of {model.title} is not on this device")
    others = tuple(other for other in (now.chosen, *now.others) if other != name)
    changed = replace(now, chosen=name, others=others, insisted=True, reason="")
    return model.with_current(changed)


def _allowed(model: InstalledModel, version: Version) -> None:
    if model.withdrawn(version):
        raise WithdrawnError(
            f"{model.title} {version} was withdrawn by whoever published it",
            todo="Stay at the version in use",
        )
