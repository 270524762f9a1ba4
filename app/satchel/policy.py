"""When to look for updates, and when to fetch them: pure decisions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CALM", "HOURS_BETWEEN_CHECKS", "IDLE", "Conditions", "Decision", "Moment", "when"]

HOURS_BETWEEN_CHECKS = 6
"""For a page that stays open; it also looks when it was opened, and when it comes online."""

CALM = 2.0
"""Seconds without work before the page looks for updates: the person's answer comes first."""

IDLE = 60.0
"""Seconds without work before an update that nobody asked for is fetched."""

LOW_BATTERY = 0.2
"""Charge, from 0 to 1, at which nothing optional is done."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the device feels; None where the platform does not say.

    Attributes:
        online: Whether there is a network.
        metered: Whether the connection may cost money.
        save_data: Whether the person asked for little traffic.
        battery_level: Charge, from 0 to 1.
        charging: Whether it is charging.
        visible: Whether the page can be seen.
        rested: Seconds since somebody last wanted something.
    """

    online: bool | None = None
    metered: bool | None = None
    save_data: bool | None = None
    battery_level: float | None = None
    charging: bool | None = None
    visible: bool | None = None
    rested: float = 0.0

    @property
    def costly(self) -> bool:
        """Whether bytes should not be fetched unasked."""
        return bool(self.metered or self.save_data)

    @property
    def low(self) -> bool:
        """Whether the battery is low, and not charging."""
        level = self.battery_level
        return level is not None and level <= LOW_BATTERY and not self.charging


class Moment(StrEnum):
    """What to do about an update."""

    NOW = "now"
    ASK = "ask"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and why: a sentence for people."""

    moment: Moment
    reason: str = ""


def when(
    conditions: Conditions, *, mandatory: bool, agreed: bool = False, pinned: str | None = None
) -> Decision:
    """Whether to fetch an update that nobody asked for now.

    Args:
        conditions: How the device feels.
        mandatory: Whether its maker wants it on every device.
        agreed: Whether the person agreed to fetch it on a connection that may cost money.
        pinned: The version that the person wants to keep; None: no such wish.

    >>> when(Conditions(online=True, metered=True), mandatory=True).moment.value
    'ask'
    >>> when(Conditions(online=True, rested=600), mandatory=False).moment.value
    'now'
    """
    if pinned is not None:
        return Decision(Moment.WAIT, f"You keep this model at {pinned}.")
    if conditions.online is False:
        return Decision(Moment.WAIT, "There is no network now.")
    if conditions.costly and not agreed:
        if mandatory:
            return Decision(Moment.ASK, "This connection may cost you.")
        return Decision(Moment.WAIT, "This connection may cost you, so it waits for your word.")
    if mandatory:
        return Decision(Moment.NOW)
    if conditions.low:
        return Decision(Moment.WAIT, "The battery is low, so it waits for your word or a charger.")
    if conditions.visible is False:
        return Decision(Moment.WAIT, "It comes when this page is looked at again.")
    if conditions.rested < IDLE:
        return Decision(Moment.WAIT, "It comes when the page has a quiet minute.")
    return Decision(Moment.NOW)
