"""The optimiser's reports: in a terminal, as JSON, as a page, as text for a pull request.

Everything here reads an `OptimizationReport` and changes nothing; measuring and choosing happen
elsewhere.
"""

from satchel_models.report.encoding import decode, encode, read
from satchel_models.report.files import Written, write
from satchel_models.report.levels import Levels, compare
from satchel_models.report.progress import Steps
from satchel_models.report.terminal import show, show_levels

__all__ = [
    "Levels",
    "Steps",
    "Written",
    "compare",
    "decode",
    "encode",
    "read",
    "show",
    "show_levels",
    "write",
]
