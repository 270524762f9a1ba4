"""A graph on its way, and the answers that it has to keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from satchel_models.convert import graphs, numerics, samples
from satchel_models.convert.numerics import Arrays, Case
from satchel_models.convert.original import Original
from satchel_models.convert.samples import Input
from satchel_models.errors import ConversionError, NumericsError


@dataclass
class Work:
    """A graph on its way.

    Attributes:
        original: What the developer gave.
        folder: For files on the way.
        model: As it is now.
        inputs: How it is run.
        singles: Samples apart, with the original's answers.
        pair: A batch of two with the original's answers, where the original gave them.
        notes: What is told about it.
    """

    original: Original
    folder: Path
    model: onnx.ModelProto
    inputs: tuple[Input, ...]
    singles: Sequence[Case]
    pair: Case | None
    notes: list[str]

    @property
    def name(self) -> str:
        """The original's, for errors."""
        return str(self.original.path)

    def compare(self, model: onnx.ModelProto) -> float:
        """The largest difference of a graph's answers from the original's.

        Raises:
            NumericsError: It is too large.
            ConversionError: The graph doesn't run.
        """
        opened = graphs.session(model, self.folder, self.name)
        subject = f"The graph of {self.name}"
        return max(
            numerics.compare(subject, case.answers, graphs.run(opened, case.feeds, self.name))
            for case in self.singles
        )

    def takes_two(self, model: onnx.ModelProto) -> bool:
        """Whether a graph answers single samples rightly, and a batch of two as two of one."""
        try:
            self.compare(model)
            opened = graphs.session(model, self.folder, self.name)
            both = graphs.run(opened, self.two(), self.name)
            right = self.pair.answers if self.pair else self._together(both)
            numerics.compare(self.name, right, both, numerics.LOOSE)
        except (ConversionError, NumericsError):
            return False
        return True

    def two(self) -> Mapping[str, NDArray[np.generic]]:
        """A batch of two."""
        if self.pair:
            return self.pair.feeds
        return samples.joined(self.inputs, [case.feeds for case in self.singles[:2]])

    def _together(self, both: Arrays) -> Arrays:
        """Answers to two samples as a batch's: joined along the axis that is twice as long there.

        Args:
            both: The batch's answers, for their shapes.
        """
        joined = []
        first, second = (case.answers for case in self.singles[:2])
        for a, b, shape in zip(first, second, (each.shape for each in both), strict=True):
            twice = [k for k, n in enumerate(a.shape) if shape[k : k + 1] == (2 * n,) and n]
            joined.append(np.concatenate([a, b], twice[0]) if twice else a)
        return joined
