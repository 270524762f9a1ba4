"""The wheel of `satchel`, the same bytes from the same source."""

import os
from pathlib import Path
from unittest import mock

from hatchling.builders.wheel import WheelBuilder

from builder.errors import BuildError
from builder.paths import APP, ROOT

EPOCH = "1577836800"
"""2020-01-01: a date for all files in the wheel, since their real ones differ per checkout."""


def build(folder: Path) -> Path:
    """Build the wheel into `folder` and return its path.

    Raises:
        BuildError: There is no package to build.
    """
    if not (APP / "satchel" / "__init__.py").is_file():
        raise BuildError(f"There is no package at {APP / 'satchel'}: __init__.py is missing.")
    with mock.patch.dict(os.environ, {"SOURCE_DATE_EPOCH": EPOCH}):
        built = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
        return Path(next(iter(built)))
