"""How the steps of an optimisation reach what doesn't fit this environment."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from satchel_models.errors import ConversionError

if TYPE_CHECKING:
    from satchel_models.measurement.laboratory import Laboratory

Environment = Literal["torch", "tensorflow", "litert"]

Progress = Callable[[str, float | None], None]
"""What is done now, in words, and its share 0 … 1, or None where nobody knows.

It is called several times a second while another program runs; what it raises ends the step,
which leaves nothing behind.
"""


class Tools(Protocol):
    """What the steps may ask for."""

    def python(self, environment: Environment) -> Path:
        """A Python that has this library and ONNX.

        Raises:
            ConversionError: There is none, and none can be made.
        """
        ...


class Equipment(Tools, Protocol):
    """What a whole optimisation asks for."""

    def laboratory(self) -> AbstractContextManager[Laboratory]:
        """A browser that measures, as long as the block runs."""
        ...

    def machine(self) -> Mapping[str, object]:
        """The machine that measures, for reports."""
        ...

    def versions(self) -> Mapping[str, str]:
        """Of what takes part beside Python's libraries."""
        ...


class Installed:
    """This Python and what is installed in it, nothing else.

    >>> Installed().python("torch")  # doctest: +SKIP
    PosixPath('/home/me/project/.venv/bin/python')
    """

    def python(self, environment: Environment) -> Path:
        """This Python.

        Raises:
            ConversionError: The library isn't installed here.
        """
        if not has(environment):
            raise ConversionError(
                f"This needs {NAMES[environment]}, which isn't installed in {sys.prefix}. "
                f"Install it there: {sys.executable} -m pip install {PACKAGES[environment]}"
            )
        return Path(sys.executable)


NAMES: dict[Environment, str] = {
    "torch": "PyTorch",
    "tensorflow": "TensorFlow",
    "litert": "LiteRT's converters",
}

PACKAGES: dict[Environment, str] = {
    "torch": "torch onnx onnxscript",
    "tensorflow": "tensorflow tf2onnx",
    "litert": "litert_torch ai_edge_quantizer onnx",
}


def has(environment: Environment) -> bool:
    """Whether this Python has what an environment stands for."""
    return all(importlib.util.find_spec(name) for name in PACKAGES[environment].split())
