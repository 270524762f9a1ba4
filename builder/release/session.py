"""A model file in its own engine, on this machine: what a release's golden answers come from."""

import asyncio
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from builder.errors import BuildError
from satchel.errors import EngineUnavailableError, SatchelError
from satchel.manifest import Variant
from satchel.platform import EngineSession, SessionOptions
from satchel.platform.native import NativePlatform
from satchel.tensors import TensorSpec
from satchel.variants import engine_title

T = TypeVar("T")

Arrays = Mapping[str, NDArray[np.generic]]


class Session:
    """A loaded model.

    Args:
        model: The file.
        variant: Which engine it is for, and how that loads it.
        name: The model's id, for messages.

    Raises:
        BuildError: The engine isn't here, or doesn't load it.
    """

    def __init__(self, model: bytes, variant: Variant, name: str) -> None:
        platform = NativePlatform()
        self.variant = variant
        title = engine_title(variant.engine)
        settings = variant.session
        options = SessionOptions(settings.graph_optimization_level, settings.config)
        try:
            engine = platform.engines[variant.engine]
            self._session: EngineSession = _waited(engine.load(platform.blob(model), options))
        except KeyError:
            raise BuildError(f"There is no {title} on this machine, which {name} needs.") from None
        except EngineUnavailableError as error:
            raise BuildError(f"{title} can't be used for {name}: {error}") from error
        except SatchelError as error:
            raise BuildError(
                f"The file for {name} is no model that {title} loads: {error}"
            ) from error

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What it takes."""
        return self._session.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What it gives."""
        return self._session.outputs

    @property
    def interface(self) -> str:
        """Both, in words."""
        inputs, outputs = (
            ", ".join(f"{spec.name}: {spec.describe()}" for spec in specs)
            for specs in (self.inputs, self.outputs)
        )
        return f"({inputs}) → ({outputs})"

    def run(self, feeds: Arrays) -> dict[str, NDArray[Any]]:
        """Run it.

        Raises:
            SatchelError: The engine failed.
        """
        return _waited(self._session.run(feeds))


def _waited(work: Coroutine[Any, Any, T]) -> T:
    """Wait for work of the engine's, wherever: this thread may have an event loop that runs."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
