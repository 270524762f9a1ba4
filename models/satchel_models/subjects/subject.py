"""What the optimiser's steps ask of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from satchel_models.convert import Original
from satchel_models.data import Dataset
from satchel_models.steps import Converted, Quantised
from satchel_models.tools import Progress, Tools


class Subject(Protocol):
    """A model that is to be optimised."""

    @property
    def name(self) -> str:
        """For people, and for files."""

    @property
    def facts(self) -> Sequence[object]:
        """What the conversion depends on beside its files."""

    @property
    def files(self) -> Sequence[Path]:
        """What the conversion reads."""

    @property
    def original(self) -> Original | None:
        """What converters begin at; None: it is built of its weights alone."""

    @property
    def ranges(self) -> Mapping[str, tuple[float, float]] | None:
        """Ranges of activations that an earlier calibration found; None: there was none."""

    def convert(self, out: Path, tools: Tools, progress: Progress) -> Converted:
        """Step 1; see `satchel_models.convert`."""

    def dataset(
        self, data: Path | None, calibration: Path | None, converted: Converted, seed: int
    ) -> Dataset:
        """What calibrates, selects and reports."""

    def with_own(self, found: Quantised, out: Path) -> Quantised:
        """Step 3's result, with what the subject makes by itself."""
