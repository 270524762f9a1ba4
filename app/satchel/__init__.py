"""Satchel: AI models that people carry with them.

Runs models in the browser (Pyodide and onnxruntime-web) and on CPython (onnxruntime), keeps them
on the device, and works with the network off. This module is the public API and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from satchel import errors, library
from satchel.errors import *  # noqa: F403  # the tree's own __all__ is the list
from satchel.manifest import Manifest
from satchel.runtime import EdgeRuntime
from satchel.settings import configure
from satchel.tensors import TensorSpec

if TYPE_CHECKING:
    from satchel import tasks
    from satchel.device import DeviceProfile
    from satchel.effort import AdaptiveInference
    from satchel.updates import EdgeModelManager

__version__ = "0.1.0"

__all__ = [
    "AdaptiveInference",
    "DeviceProfile",
    "EdgeModelManager",
    "EdgeRuntime",
    "Manifest",
    "TensorSpec",
    "__version__",
    "configure",
    "library",
    "tasks",
]
__all__ += errors.__all__


def __getattr__(name: str) -> Any:
    """What a first inference does not need is imported when it is asked for (PEP 562)."""
    if name == "AdaptiveInference":
        from satchel.effort import AdaptiveInference

        return AdaptiveInference
    if name == "EdgeModelManager":
        from satchel.updates import EdgeModelManager

        return EdgeModelManager
    if name == "tasks":
        import satchel.tasks

        return satchel.tasks
    if name == "DeviceProfile":
        from satchel.device import DeviceProfile

        return DeviceProfile
    raise AttributeError(f"module 'satchel' has no attribute {name!r}")
