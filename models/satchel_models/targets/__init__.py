"""Where an optimised model is to run: each platform makes its own candidates and measures them.

A target is steps 3 to 5; what comes before is the same for all.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from satchel_models.data import Dataset
from satchel_models.errors import TargetError
from satchel_models.litert import Order
from satchel_models.measurement import Validation
from satchel_models.quantisation import Material
from satchel_models.results import Compiled, Converted, Graph, Level, Quantised
from satchel_models.tools import Equipment, Progress, Tools

__all__ = ["Target", "target"]


class Target(Protocol):
    """A platform."""

    @property
    def name(self) -> str:
        """As `optimize --target` says it."""

    @property
    def code(self) -> Mapping[str, Sequence[Path]]:
        """Where the code of its steps lies, by method: a change of it runs the step again."""

    def quantise(
        self,
        graph: Graph,
        converted: Converted,
        out: Path,
        level: Level,
        material: Material,
        progress: Progress,
    ) -> Quantised:
        """Make candidates; see `satchel_models.quantisation.quantise`."""

    def branch(self, order: Order, out: Path, tools: Tools, progress: Progress) -> Quantised:
        """Make candidates that branch off from the original, not from its graph.

        Raises:
            NoEnvironmentError: What makes them can't be had now.
        """

    def compile(
        self, quantised: Quantised, out: Path, dataset: Dataset, progress: Progress
    ) -> tuple[Compiled, ...]:
        """Make what a release needs of each candidate."""

    def validate(
        self,
        quantised: Quantised,
        converted: Converted,
        dataset: Dataset,
        level: Level,
        tools: Equipment,
        progress: Progress,
    ) -> Validation:
        """Measure candidates and choose one; see `satchel_models.measurement`."""


def target(name: str) -> Target:
    """Return a platform by its name.

    Raises:
        TargetError: It is not known, or comes later.
    """
    from satchel_models.targets.browser import Browser

    if name == "browser":
        return Browser()
    if name in ("mobile", "iot"):
        raise TargetError(
            f"The target {name!r} is not there yet: this version optimises for browsers. Take "
            "--target browser."
        )
    raise TargetError(f"There is no target {name!r}; known: browser.")
