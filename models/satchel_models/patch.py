"""A file made of another one by the few bytes in which they differ.

Files of one network for images of several sizes differ in shapes only: one of them is kept, and of
the others what is different.

>>> patch = difference(b"one two three", b"one six three")
>>> patch["bytes"]
[[4, '736978']]
>>> applied(b"one two three", patch)
b'one six three'
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from satchel_models.errors import RecipeError


def difference(before: bytes, after: bytes) -> dict[str, Any]:
    """What makes `after` of `before`, for JSON: both are of one length."""
    runs: list[tuple[int, bytearray]] = []
    for offset, (old, new) in enumerate(zip(before, after, strict=True)):
        if old == new:
            continue
        if runs and runs[-1][0] + len(runs[-1][1]) == offset:
            runs[-1][1].append(new)
        else:
            runs.append((offset, bytearray([new])))
    return {
        "of": hashlib.sha256(before).hexdigest(),
        "sha256": hashlib.sha256(after).hexdigest(),
        "bytes": [[offset, run.hex()] for offset, run in runs],
    }


def applied(data: bytes, patch: Mapping[str, Any]) -> bytes:
    """The other file.

    Raises:
        RecipeError: It is a patch of another file, or none.
    """
    changed = bytearray(data)
    try:
        for offset, text in patch["bytes"]:
            new = bytes.fromhex(text)
            changed[offset : offset + len(new)] = new
        fits = (patch["of"], patch["sha256"]) == tuple(
            hashlib.sha256(one).hexdigest() for one in (data, bytes(changed))
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecipeError(f"This is no patch: {error!r}.") from error
    if not fits:
        raise RecipeError("The patch is not one of this file.")
    return bytes(changed)
