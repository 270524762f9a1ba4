"""SHA-256 of what is stored, read piece by piece: a model never lies whole in the Python heap."""

from __future__ import annotations

import hashlib

from satchel.errors import StorageError
from satchel.manifest import Reference
from satchel.platform import Blob

__all__ = ["same", "sha256", "verified"]


async def verified(blob: Blob, wanted: Reference) -> bool:
    """Whether a blob has the promised length and SHA-256."""
    return blob.size == wanted.size and await same(blob, wanted.sha256)


async def same(blob: Blob, wanted: str) -> bool:
    """Whether a blob has this SHA-256 (hex); what cannot be read any more has none."""
    try:
        return await sha256(blob) == wanted
    except StorageError:
        return False


async def sha256(blob: Blob) -> str:
    """A blob's SHA-256 in hex.

    Raises:
        StorageError: It cannot be read.
    """
    digest = hashlib.sha256()
    async for piece in blob.stream():
        digest.update(piece)
    return digest.hexdigest()
