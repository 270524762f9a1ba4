"""What python-tuf refused, and why, in words for people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from satchel.errors import ExpiredError, NetworkError, SatchelError, TrustError
from satchel.trust.upstream import (
    BadVersionNumberError,
    DeserializationError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    Metadata,
    RepositoryError,
    UnsignedMetadataError,
)

__all__ = ["ROLES", "explained", "role_of"]

ROLES = ("root", "timestamp", "snapshot", "targets")
"""In the order in which a client gets them; each vouches for the next."""

_METADATA = re.compile(rf"(?:[0-9]+\.)?({'|'.join(ROLES)})\.json")
_MANIFEST = re.compile(r"[0-9a-f]{64}\.(.+)\.json")

_STILL = "What is installed goes on working"
_TELL = f"{_STILL}. If this stays so, tell whoever hosts this site"

_REASONS: tuple[tuple[type[Exception], str, str], ...] = (
    (
        UnsignedMetadataError,
        "is not signed by the keys that this site trusts",
        "Somebody without these keys changed it, or the wrong keys signed it",
    ),
    (
        BadVersionNumberError,
        "is not the version that it should be",
        "It is older than what this device has seen, or files of different versions were mixed",
    ),
    (
        LengthOrHashMismatchError,
        "is not the file that was signed for",
        "Its length or SHA-256 is another one: it was changed, cut short, or not fully uploaded",
    ),
    (
        DownloadLengthMismatchError,
        "is larger than it may be",
        "It was changed or cut short, or something else is in its place",
    ),
    (
        DeserializationError,
        "cannot be read",
        "It was changed or cut short, or something else is in its place",
    ),
)


def role_of(url: str) -> str | None:
    """Which role a metadata file is of."""
    found = _METADATA.fullmatch(url.rpartition("/")[2])
    return found[1] if found else None


def explained(
    error: RepositoryError | DownloadError,
    asked: Sequence[str],
    metadata: Mapping[str, bytes],
    now: str,
) -> SatchelError:
    """Our error for one of python-tuf's.

    Args:
        error: Its own.
        asked: The URLs that it has asked for; the last one is what it came upon.
        metadata: What it has worked with, by role.
        now: This device's time, UTC in ISO 8601.
    """
    file = _named(asked[-1] if asked else "root.json")
    if isinstance(error, ExpiredMetadataError):
        return _expired(metadata, now)
    for kind, what, why in _REASONS:
        if isinstance(error, kind):
            return TrustError(f"No update: {file} {what}", why=why, todo=_TELL)
    if isinstance(error, DownloadError):
        return NetworkError(
            f"No update: {file} could not be fetched",
            why=str(error),
            todo=f"{_STILL}. Check the connection and try again",
            status=error.status_code if isinstance(error, DownloadHTTPError) else None,
        )
    return TrustError(f"No update: {file} is not what it should be", why=str(error), todo=_TELL)


def _named(url: str) -> str:
    """A file of a repository, in words."""
    if role := role_of(url):
        return f"the {role} metadata"
    name = url.rpartition("/")[2]
    manifest = _MANIFEST.fullmatch(name)
    return f"the manifest of {manifest[1]}" if manifest else f"the file {name}"


def _expired(metadata: Mapping[str, bytes], now: str) -> ExpiredError:
    """Say which role has expired. python-tuf says it in prose only; it goes by this order."""
    clock = datetime.fromisoformat(now)
    for role in ROLES:
        signed = Metadata.from_bytes(metadata[role]).signed
        if signed.is_expired(clock):
            break
    return ExpiredError(
        f"No update: the {role} metadata has expired",
        why=f"It was signed to hold until {_said(signed.expires)}, "
        f"and this device's clock says {_said(clock)}",
        todo=f"{_STILL}. If the clock is wrong, set it; if it is right, tell whoever hosts this "
        "site",
    )


def _said(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
