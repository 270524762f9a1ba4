"""Imports modules from a dictionary of code objects: no file to look for, nothing to compile.

`builder/bytecode` makes the dictionaries. Python's own compiler is never needed on the way to the
first answer: its first use takes longest, since WASM is compiled where it is used first. This
module and `session` lie in the memory snapshot themselves; a plain start takes them from the
bytecode.
"""

from __future__ import annotations

import dataclasses
import marshal
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

__all__ = ["Archive", "add", "start"]


def start(archive: Any, host: Any, settings: Any, restored: Any = None) -> ModuleType:
    """Import the engine. One call from JavaScript for it all: each crossing takes its time.

    Args:
        archive: The engine's bytecode, an ArrayBuffer.
        host: What becomes the module `satchel_host`.
        settings: For `satchel.configure`.
        restored: After a restore, what `session.begin` needs: `environment` and `numpy`.

    Returns:
        The module `engine`.
    """
    modules, generated = marshal.loads(archive.to_bytes())  # noqa: S302  # ours
    Archive(modules, generated).install()
    if restored is not None:
        import session

        session.begin(restored.environment, restored.numpy)
    from pyodide.ffi import register_js_module

    register_js_module("satchel_host", host)
    import satchel

    satchel.configure(**settings.to_py())
    import engine

    return engine


def add(archive: Any) -> None:
    """Make more modules importable.

    Args:
        archive: Their bytecode, an ArrayBuffer.
    """
    modules, generated = marshal.loads(archive.to_bytes())  # noqa: S302  # ours
    Archive(modules, generated).install()


class Archive:
    """A finder and loader (https://docs.python.org/3/reference/import.html#finders-and-loaders)."""

    def __init__(
        self, modules: Mapping[str, tuple[bytes, bool]], generated: Mapping[str, CodeType]
    ) -> None:
        """Take what was compiled.

        Args:
            modules: Each module's code, marshalled, and whether it is a package.
            generated: Code of the source that `dataclasses` writes when those are imported.
        """
        self._modules = modules
        self._generated = generated

    def install(self) -> None:
        """Let imports look here first."""
        sys.meta_path.insert(0, self)
        # A module's own `exec` goes before the built-in one. What isn't known is compiled as ever.
        self._before = getattr(dataclasses, "exec", exec)
        dataclasses.exec = self._exec  # type: ignore[attr-defined]

    def _exec(self, source: Any, *namespaces: dict[str, Any]) -> None:
        self._before(self._generated.get(source, source), *namespaces)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What Python asks each finder first."""
        if name not in self._modules:
            return None
        _, package = self._modules[name]
        return ModuleSpec(name, self, is_package=package)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """Python's own way is fine."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code."""
        code, _ = self._modules[module.__name__]
        exec(marshal.loads(code), module.__dict__)  # noqa: S102, S302  # ours
