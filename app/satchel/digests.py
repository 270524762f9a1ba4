"""SHA-256 of what is stored, read piece by piece: a model never lies whole in the Python heap."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from satchel.errors import StorageError
from satchel.manifest import Reference
from satchel.platform import Blob, Slice

__all__ = ["same", "sha256", "verified"]

READ = 1024 * 1024
"""Bytes of a blob that are hashed at a time."""


async def verified(blob: Blob, wanted: Reference) -> bool:
    """Whether a blob has the promised length and SHA-256."""
    whole = [Slice(blob, 0, wanted.size)]
    return blob.size == wanted.size and await same(whole, wanted.sha256)


async def same(slices: Sequence[Slice], wanted: str) -> bool:
    """Whether bytes have this SHA-256 (hex); what cannot be read any more has none."""
    try:
        return await _sha256(slices) == wanted
    except StorageError:
        return False


async def sha256(blob: Blob) -> str:
    """A blob's SHA-256 in hex.

    Raises:
        StorageError: It cannot be read.
    """
    return await _sha256([Slice(blob, 0, blob.size)])


async def _sha256(slices: Sequence[Slice]) -> str:
    digest = hashlib.sha256()
    for part in slices:
        for start in range(part.start, part.stop, READ):
            digest.update(await part.blob.read(start, min(start + READ, part.stop)))
    return digest.hexdigest()
