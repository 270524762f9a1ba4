"""Staged roll-outs: a device decides for itself whether it is among the first.

Its id is random, lies on the device only, is never sent, and can be made anew.
"""

from __future__ import annotations

import hashlib
import secrets

from satchel.platform import Platform, PutRecord

__all__ = ["device_id", "included", "renew"]


def included(device: str, model: str, version: str, percent: float) -> bool:
    """Whether a device is among the first so many per cent.

    The same device stays in when the roll-out is widened, and is an early one for some versions,
    a late one for others.

    Args:
        device: The device's id.
        model: The model's id.
        version: The release's version.
        percent: How far the release is rolled out.

    >>> included("any device", "any-model", "1.1.0", 100), included("any", "any", "1.1.0", 0)
    (True, False)
    """
    digest = hashlib.sha256(f"{device}\n{model}\n{version}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < percent / 100 * 2**64


async def device_id(platform: Platform) -> str:
    """This device's id, made when it is first asked for."""
    record = await platform.store.record("meta", "device")
    return str(record["id"]) if record else await renew(platform)


async def renew(platform: Platform) -> str:
    """Make another id."""
    made = secrets.token_hex(16)
    await platform.store.commit([PutRecord("meta", "device", {"id": made})])
    return made
