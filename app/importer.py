"""Imports modules from a dictionary of code objects: no file to look for, nothing to compile.

`builder/bytecode` makes the dictionary; the engine worker runs this module's code first.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType

__all__ = ["Archive"]


class Archive:
    """A finder and loader (https://docs.python.org/3/reference/import.html#finders-and-loaders)."""

    def __init__(self, modules: Mapping[str, tuple[CodeType, bool]]) -> None:
        """Each module's code, and whether it is a package."""
        self._modules = modules

    def install(self) -> None:
        """Let imports look here first."""
        sys.meta_path.insert(0, self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What Python asks each finder first."""
        if name not in self._modules:
            return None
        code, package = self._modules[name]
        return ModuleSpec(name, self, origin=code.co_filename, is_package=package)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """Python's own way is fine."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code."""
        code, _ = self._modules[module.__name__]
        exec(code, module.__dict__)  # noqa: S102
