"""Python's files as a page carries them: the standard library, and NumPy but its main libraries.

Both are zip archives whose entries aren't compressed: the wire form (`builder.wire`) packs a whole
better than a zip packs each file, and what is kept expanded is read without unpacking.

Docstrings are left out, as `python -OO` does it: nobody reads them in a page, and they are a third
of it all. Every other line stays where it was, so that tracebacks are right.

A page starts with neither: the snapshot holds what is in use, and they come when something else is
imported (app/session.py, app/static/snapshot/restore.mjs). The plain start needs both.
"""

import functools
import io
import tokenize
import zipfile
from collections.abc import Callable, Iterator, Mapping
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
    "numpy/f2py/__init__.py": b"# Not here: it needs a Fortran compiler, which no page has.\n",
    # Nothing but docstrings for what is written in C.
    "numpy/_core/_add_newdocs.py": b"",
    "numpy/_core/_add_newdocs_scalars.py": b"",
}
"""Files in place of some that are left out."""

DOCUMENTED = ("_pyodide/", "pyodide/", "numpy/_core/numeric.py")
"""What puts its docstrings to use: Pyodide's own, and those that numpy.ma makes its own of."""

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


def compiled() -> list[bytes]:
    """Return all of NumPy's libraries that a page can load, those of its archive too."""
    with zipfile.ZipFile(io.BytesIO(numpy())) as archive:
        rest = [archive.read(name) for name in archive.namelist() if name.endswith(".so")]
    return [*libraries().values(), *rest]


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
    files = {name: _without_docs(name, source.read(name)) for name in names if wanted(name)}
    files |= more
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name])
    return out.getvalue()


def _without_docs(name: str, content: bytes) -> bytes:
    """Return a file, and if it is of Python, without its docstrings."""
    if not name.endswith(".py") or name.startswith(DOCUMENTED):
        return content
    lines = content.decode().split("\n")
    for docstring in _docstrings(content):
        (first, column), (last, end) = docstring.start, docstring.end
        lines[last - 1] = " " * column + "..." + lines[last - 1][end:]
        lines[first - 1 : last - 1] = [""] * (last - first)
    return "\n".join(lines).encode()


def _docstrings(source: bytes) -> Iterator[tokenize.TokenInfo]:
    """Yield the strings that stand alone and first in a module, a class or a function.

    Read from tokens, not by `ast`: Pyodide's Python is newer than many that build.
    """
    begins = True
    line: list[tokenize.TokenInfo] = []
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type in _BETWEEN:
            continue
        if token.type != tokenize.NEWLINE:
            line.append(token)
            continue
        words = [each.string for each in line]
        if begins and len(line) == 1 and line[0].type == tokenize.STRING:
            yield line[0]
        begins = words[-1] == ":" and bool({"def", "class"} & set(words[:2]))
        line = []


_BETWEEN = frozenset(
    {
        tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING,
    }
)  # fmt: skip
