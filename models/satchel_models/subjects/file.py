"""A developer's file or folder, and what it doesn't say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from satchel_models import convert
from satchel_models.convert import Original
from satchel_models.data import Dataset, Preprocessing
from satchel_models.data import load as load_data
from satchel_models.errors import ConversionError
from satchel_models.steps import Converted, Quantised
from satchel_models.tools import Progress, Tools


@dataclass(frozen=True)
class File:
    """A developer's file or folder.

    Attributes:
        original: Where it is, and what it doesn't say.
        preprocessing: From photos to its input; None: the usual.
        tokenizer: For texts.
    """

    original: Original
    preprocessing: Preprocessing | None = None
    tokenizer: Path | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.original.path.absolute().stem

    @property
    def facts(self) -> Sequence[object]:
        """All that was said of it."""
        return [self.original]

    @property
    def files(self) -> Sequence[Path]:
        """The file."""
        return [self.original.path]

    @property
    def ranges(self) -> None:
        """None: data calibrates."""

    def convert(self, out: Path, tools: Tools, progress: Progress) -> Converted:
        """Convert it as it is."""
        return convert.convert(self.original, out, tools, progress)

    def dataset(
        self, data: Path | None, calibration: Path | None, converted: Converted, seed: int
    ) -> Dataset:
        """Data as the developer says."""
        return load_data(
            data,
            converted,
            calibration=calibration,
            preprocessing=self.preprocessing,
            tokenizer=self.tokenizer,
            seed=seed,
        )

    def with_own(self, found: Quantised, _out: Path) -> Quantised:
        """Nothing."""
        return found


def example(text: str) -> tuple[tuple[int, ...], str]:
    """An input's example sizes and dtype, as people write them.

    Raises:
        ConversionError: It is none.

    >>> example("1x3x224x224:float32"), example("1x16:int64")
    (((1, 3, 224, 224), 'float32'), ((1, 16), 'int64'))
    """
    sizes, _, dtype = text.partition(":")
    try:
        return tuple(int(size) for size in sizes.split("x")), np.dtype(dtype or "float32").name
    except (ValueError, TypeError) as error:
        raise ConversionError(
            f"{text!r} is no example of an input; write its sizes and dtype: 1x3x224x224:float32"
        ) from error
