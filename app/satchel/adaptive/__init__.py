"""How hard to work on this device, now: decisions as pure functions, each with a reason for people.

What carries them out lives elsewhere; nothing here reads a sensor, a clock or a file.
"""

from satchel.adaptive.conditions import Mode, State
from satchel.adaptive.decision import decide
from satchel.adaptive.latencies import Latencies, Work
from satchel.adaptive.option import Decision, Option, Override, Priority, Strategy
from satchel.adaptive.pace import Budget

__all__ = [
    "Budget",
    "Decision",
    "Latencies",
    "Mode",
    "Option",
    "Override",
    "Priority",
    "State",
    "Strategy",
    "Work",
    "decide",
]
