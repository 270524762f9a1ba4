"""New keys for a repository: its first root, and every later one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tuf.api.metadata import Root

from builder.errors import BuildError
from builder.release import trust
from builder.release.keys import OFFLINE, ROLES, KeyFolders, Kind
from builder.release.stage import Stage


@dataclass(frozen=True)
class Quorum:
    """How many of how many keys sign for a role."""

    threshold: int = 1
    keys: int = 1

    @classmethod
    def parse(cls, text: str) -> "Quorum":
        """Read a quorum.

        Raises:
            BuildError: It is none.

        >>> Quorum.parse("2of3")
        Quorum(threshold=2, keys=3)
        """
        found = re.fullmatch(r"(\d+)of(\d+)", text)
        quorum = cls(int(found[1]), int(found[2])) if found else None
        if quorum is None or not 1 <= quorum.threshold <= quorum.keys:
            raise BuildError(f"{text!r} says not how many keys sign; write it like 2of3.")
        return quorum


def development(stage: Stage, keys: KeyFolders) -> None:
    """Give a new repository this machine's development keys."""
    root = stage.root
    _set_up(root)
    for role in ROLES:
        root.add_key(keys.development(role), role)
    trust.mark_development(root, development=True)
    stage.sign_root()


def found(stage: Stage, keys: KeyFolders, kind: Kind, quorums: Mapping[str, Quorum]) -> None:
    """Give a new repository real keys, made now.

    Args:
        stage: The new repository.
        keys: Where the keys go.
        kind: Of all keys.
        quorums: By offline role; one key for every other role.
    """
    _set_up(stage.root)
    _replace(stage.root, keys, kind, quorums, ROLES)
    stage.sign_root()


def rotate(
    stage: Stage,
    keys: KeyFolders,
    kind: Kind,
    quorums: Mapping[str, Quorum],
    roles: tuple[str, ...],
) -> None:
    """Replace the keys of some roles; the new root is signed by the old root's keys, too."""
    root = stage.root
    if trust.is_development(root):
        roles = ROLES  # one development key left would undo the others
    kept = {
        role: Quorum(root.roles[role].threshold, len(root.roles[role].keyids)) for role in OFFLINE
    }
    _replace(root, keys, kind, {**kept, **quorums}, roles)
    trust.mark_development(root, development=False)
    stage.sign_root()
    if "targets" in roles:
        stage.renew_targets()


def _set_up(root: Root) -> None:
    root.consistent_snapshot = True


def _replace(
    root: Root,
    keys: KeyFolders,
    kind: Kind,
    quorums: Mapping[str, Quorum],
    roles: tuple[str, ...],
) -> None:
    for role in roles:
        quorum = quorums.get(role, Quorum())
        for keyid in [*root.roles[role].keyids]:
            root.revoke_key(keyid, role)
        for _ in range(quorum.keys):
            root.add_key(keys.make(role, kind), role)
        root.roles[role].threshold = quorum.threshold
