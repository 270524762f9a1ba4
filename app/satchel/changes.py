"""What can become of an installed model: pure steps from one state to the next."""

from __future__ import annotations

from dataclasses import replace

from satchel.errors import LibraryError, ModelNotFoundError, WithdrawnError
from satchel.installed import InstalledModel, Probation
from satchel.versions import Version

__all__ = [
    "counted",
    "fallen_back",
    "left",
    "offered_again",
    "pinned",
    "rolled_back",
    "set_aside",
    "unpinned",
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


def _allowed(model: InstalledModel, version: Version) -> None:
    if model.withdrawn(version):
        raise WithdrawnError(
            f"{model.title} {version} was withdrawn by whoever published it",
            todo="Stay at the version in use",
        )
