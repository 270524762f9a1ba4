"""How much a check may take: the answers come from a network that nobody vouches for."""

import re

from satchel.trust.upstream import UpdaterConfig

__all__ = ["CHECK_SECONDS", "FILE_SECONDS", "is_too_deep", "limits"]

FILE_SECONDS = 30.0
"""Seconds for one file, from asking for it to its last byte. Metadata has a few kB: a server that
takes longer is as good as none, whether it is slow or wants us to wait (slow retrieval attack)."""

CHECK_SECONDS = 180.0
"""Seconds for a whole check: other tabs wait for it."""


def limits() -> UpdaterConfig:
    """Bytes of each file, held while it is downloaded (endless data attack).

    Ours have 1 to 4 kB; an RSA key takes one more, each signature of it another, and a target 200
    bytes. Snapshot and targets are held to what timestamp and snapshot say of them.
    """
    return UpdaterConfig(
        # Counted from the root in the page: how many times the keys can have changed since it was
        # built. Once a month makes twenty years.
        max_root_rotations=256,
        max_delegations=0,  # manifests are signed by the targets role itself
        root_max_length=256 * 1024,
        timestamp_max_length=16 * 1024,
        snapshot_max_length=256 * 1024,
        targets_max_length=1024 * 1024,
        prefix_targets_with_hash=True,
    )


DEEPEST = 32
"""How deep brackets may nest in JSON; metadata needs a quarter of it. Python's parser goes down one
call for each, and in a browser that ends the whole Python, not just the parsing."""

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def is_too_deep(data: bytes) -> bool:
    r"""Tell whether brackets nest deeper than `DEEPEST`.

    >>> is_too_deep(b'[["]]"' * 20), is_too_deep(b'["[", "\\"]' * 20)
    (True, False)
    """
    depth = 0
    for token in _TOKEN.finditer(data):
        match token[0]:
            case b"[" | b"{":
                depth += 1
                if depth > DEEPEST:
                    return True
            case b"]" | b"}":
                depth -= 1
    return False
