"""Satchel: AI models that people carry with them.

Runs models in the browser (Pyodide and onnxruntime-web) and on CPython (onnxruntime), keeps them
on the device, and works with the network off. This module is the public API and nothing else.
"""

from satchel import errors, library, tasks
from satchel.errors import *  # noqa: F403  # the tree's own __all__ is the list
from satchel.manifest import Manifest
from satchel.runtime import EdgeRuntime
from satchel.settings import configure
from satchel.tensors import TensorSpec

__version__ = "0.1.0"

__all__ = [
    "EdgeRuntime",
    "Manifest",
    "TensorSpec",
    "__version__",
    "configure",
    "library",
    "tasks",
]
__all__ += errors.__all__
