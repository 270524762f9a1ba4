"""Python's files as a page carries them: the standard library, and NumPy but its main libraries.

Both are zip archives whose entries aren't compressed: the wire form (`builder.wire`) packs a whole
better than a zip packs each file, and what is kept expanded is read without unpacking.

A page starts with neither: the snapshot holds what is in use, and they come when something else is
imported (app/session.py, app/static/snapshot/restore.mjs). The plain start needs both.
"""

import functools
import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from builder import parts

NOT_IN_PAGES = frozenset(
    {
        # Tools for developers, and jokes.
        "_pyrepl", "bdb", "cProfile", "cmd", "compileall", "doctest", "modulefinder", "pdb",
        "pickletools", "profile", "pstats", "pyclbr", "pydoc", "symtable", "tabnanny",
        "trace", "zipapp", "__hello__", "__phello__", "antigravity", "this",
        # Servers, and protocols over sockets.
        "ftplib", "http.server", "imaplib", "mailbox", "poplib", "pty", "smtplib", "tty", "wsgiref",
        "xmlrpc",
        # Processes, other interpreters, Windows.
        "asyncio.windows_events", "asyncio.windows_utils", "concurrent.futures.interpreter",
        "concurrent.futures.process", "concurrent.interpreters", "encodings.mbcs", "encodings.oem",
        "multiprocessing",
    }
)  # fmt: skip
"""Modules of the standard library that no page has a use for."""

NOT_OF_NUMPY = frozenset(
    {
        "numpy._configtool", "numpy._core.cversions", "numpy._pyinstaller", "numpy.conftest",
        "numpy.f2py", "numpy.random._examples", "numpy.testing.print_coercion_tables",
        "numpy.typing.mypy_plugin",
    }
)  # fmt: skip
"""Modules of NumPy that only builds, tests or type checkers use; so are all named `tests`."""

STAND_INS = {
    # `from numpy import *` imports it.
    "numpy/f2py/__init__.py": b'"""Not here: it needs a Fortran compiler, which no page has."""\n',
}
"""Files in place of some that are left out."""

LIBRARIES = (
    "numpy/_core/_multiarray_umath.cpython-314-wasm32-emscripten.so",
    "numpy/linalg/_umath_linalg.cpython-314-wasm32-emscripten.so",
)
"""NumPy's libraries that `import numpy` loads, in this order. They travel as WASM files of their
own, which browsers compile while they arrive."""


@functools.cache
def standard_library() -> bytes:
    """Return the archive that takes the place of Pyodide's python_stdlib.zip."""
    whole = parts.folder("pyodide") / "python_stdlib.zip"
    with zipfile.ZipFile(whole) as archive:
        return _stored(archive, lambda name: not _within(name, NOT_IN_PAGES))


@functools.cache
def numpy() -> bytes:
    """Return NumPy's Python files, and its libraries but for `LIBRARIES`."""
    with zipfile.ZipFile(parts.file("numpy")) as wheel:
        return _stored(wheel, _of_numpy, STAND_INS)


def libraries() -> dict[str, bytes]:
    """Return the content of `LIBRARIES`, by their path in site-packages."""
    with zipfile.ZipFile(parts.file("numpy")) as wheel:
        return {path: wheel.read(path) for path in LIBRARIES}


def _of_numpy(name: str) -> bool:
    path = PurePosixPath(name)
    if path.parts[0].endswith(".dist-info"):
        return path.name in ("METADATA", "WHEEL")  # importlib.metadata asks for them
    code = path.suffix in (".py", ".so") and name not in LIBRARIES
    return code and "tests" not in path.parts and not _within(name, NOT_OF_NUMPY)


def _within(name: str, modules: frozenset[str]) -> bool:
    """Tell whether a file is one of these modules, or lies in one that is a package."""
    parts = PurePosixPath(name).with_suffix("").parts
    return any(".".join(parts[:length]) in modules for length in range(1, len(parts) + 1))


def _stored(
    source: zipfile.ZipFile,
    wanted: Callable[[str], bool],
    more: Mapping[str, bytes] = MappingProxyType({}),
) -> bytes:
    """Return an archive of the wanted files, all of one date, in the order of their names."""
    names = [entry.filename for entry in source.infolist() if not entry.is_dir()]
    files = {name: source.read(name) for name in names if wanted(name)} | dict(more)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name])
    return out.getvalue()
