"""One row of the fault matrix."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Case:
    """One row.

    Attributes:
        id: Its name.
        step: Where in an update it strikes: check, index, download, verify, validate, apply.
        what: What goes wrong, for people.
        rules: What the host's front does; see front.py.
        state: Which repository the host shows.
        seen: States that the device has looked at before.
        from_start: The first visit meets this state too.
        ends: How the attempt ends: "done", or the error's class.
        at: The step at which it ends.
        says: Words of the message.
        then: The state once the fault is gone.
        aside: Whether the version is set aside.
        pause: Bytes after which the person pauses the download.
        repeat: How many attempts the fault lasts.
        damage: What of the device's store is spoilt after the attempt: "part", "active", "lost".
        years: How far the device's clock is off.
        bounded: Whether the bytes sent under the fault are held to a bound too.
        heavy: Only in `test --all`.
    """

    id: str
    step: str
    what: str
    rules: tuple[dict, ...] = ()
    state: str = "v2"
    seen: tuple[str, ...] = ()
    from_start: bool = False
    ends: str = "done"
    at: str | None = None
    says: str = ""
    then: str = "v2"
    aside: bool = False
    pause: int | None = None
    repeat: int = 1
    damage: str | None = None
    years: int = 0
    bounded: bool = False
    heavy: bool = False

    @property
    def version(self) -> str:
        """The version that the attempt leaves active."""
        return {"done": "1.1.0", "any": "any"}.get(self.ends, "1.0.0")

    @property
    def final(self) -> str:
        """The version that is active in the end."""
        return "1.2.0" if self.then.endswith("_mended") else "1.1.0"

    def told(self, names: dict[str, str]) -> dict:
        """As JSON for the device, with the names of the release's files."""
        text = json.dumps(asdict(self))
        for name, value in names.items():
            text = text.replace(f"<{name}>", value)
        told: dict = json.loads(text)
        return told


def rule(path: str, fault: str, **options: object) -> dict:
    """What the front does to answers from this path."""
    return {"path": path, "fault": fault, **options}
