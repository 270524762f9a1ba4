"""How long signatures hold, and when to warn that they soon won't.

A site must survive a year without its owner, so the online roles hold a little longer than that.
The price is the time for which somebody who controls a host can hide newer releases from a device
that has never seen them (a freeze attack); whoever wants that shorter refreshes more often and
shortens these. Nothing that is installed ever expires: expired metadata only stops updates.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from tuf.api.metadata import Signed

LIFETIME: Mapping[str, timedelta] = {
    "root": timedelta(days=5 * 365),
    "targets": timedelta(days=3 * 365),
    "snapshot": timedelta(days=400),
    "timestamp": timedelta(days=400),
}
"""From a signature to its expiry."""

MARGIN: Mapping[str, timedelta] = {
    "root": timedelta(days=365),
    "targets": timedelta(days=180),
    "snapshot": timedelta(days=60),
    "timestamp": timedelta(days=60),
}
"""From a warning to the expiry."""

REMEDY: Mapping[str, str] = {
    "root": "python3 build.py keys rotate",
    "targets": "python3 build.py release --refresh, with the offline keys at hand",
    "snapshot": "python3 build.py release --refresh",
    "timestamp": "python3 build.py release --refresh",
}


def now() -> datetime:
    """Return the time as metadata writes it: UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def warnings(roles: Mapping[str, Signed], at: datetime) -> list[str]:
    """Say of each role that expires within its margin when it does and what to do.

    Args:
        roles: Metadata by role; roles without a margin here are passed over.
        at: The time to judge by.
    """
    found = []
    for name, signed in roles.items():
        left = signed.expires - at
        if left < MARGIN[name]:
            when = f"{signed.expires:%d %B %Y}"
            state = "expired on" if left <= timedelta() else f"expires in {left.days} days, on"
            found.append(f"The repository's {name} {state} {when}. Renew it: {REMEDY[name]}")
    return found
