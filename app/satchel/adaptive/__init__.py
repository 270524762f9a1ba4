"""How hard to work on this device, now: decisions as pure functions, each with a reason for people.

What carries them out lives elsewhere; nothing here reads a sensor, a clock or a file.
"""

from satchel.adaptive.conditions import Mode, State
from satchel.adaptive.decision import decide
from satchel.adaptive.latencies import Latencies, Work
from satchel.adaptive.memory import Loaded, Refused, Released, idle, room
from satchel.adaptive.option import Decision, Option, Override, Priority, Strategy
from satchel.adaptive.pace import Budget
from satchel.adaptive.queue import Added, Queue

__all__ = [
    "Added",
    "Budget",
    "Decision",
    "Latencies",
    "Loaded",
    "Mode",
    "Option",
    "Override",
    "Priority",
    "Queue",
    "Refused",
    "Released",
    "State",
    "Strategy",
    "Work",
    "decide",
    "idle",
    "room",
]
