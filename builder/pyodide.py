"""Pyodide as a page carries it: without the names that only other packages' libraries would use.

Pyodide exports every function of Python's C API, for whatever compiled package somebody may load:
8,556 names. At each start its script makes two variables and a table entry of each, which takes
longer than Python's own start from a snapshot. A page of ours carries NumPy's libraries and no
others, so it keeps the names that these, Pyodide's own script and ours mention. Functions stay as
they are; the rest of the two files isn't touched.

The page can't load other compiled packages therefore; a page of somebody's own has the whole
Pyodide.
"""

import functools
import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from builder import archives, node, parts
from builder.errors import BuildError
from builder.paths import STATIC

SCRIPT = "pyodide.asm.mjs"
WASM = "pyodide.asm.wasm"

_ASSIGNMENT = re.compile(
    r'(?P<local>[\w$]+)=Module\["(?P<property>[^"]+)"\]=wasmExports\["(?P<export>[^"]+)"\]'
    r"(?:\.value>>>0)?;"
)
"""How Emscripten's script takes an export, of a function or of data."""

_FUNCTION = "async function _createPyodideModule(moduleArg={}){"
_END = "}export default _createPyodideModule;"

FEWEST = 3000
"""So many exports at least can go; with less, Pyodide isn't built as it was."""

_EXPORTS = 7
"""The id of WebAssembly's export section (https://webassembly.github.io/spec/core/binary/)."""

_FUNCTION_KIND, _GLOBAL_KIND = 0, 3


@dataclass(frozen=True)
class Runtime:
    """Pyodide's two large files."""

    script: bytes
    """`pyodide.asm.mjs`."""
    wasm: bytes
    """`pyodide.asm.wasm`."""


@functools.cache
def runtime() -> Runtime:
    """Return Pyodide's script and WASM with the exports that a page uses.

    Raises:
        BuildError: This Pyodide isn't built as expected.
    """
    folder = parts.folder("pyodide")
    script = (folder / SCRIPT).read_text("utf-8")
    wasm = (folder / WASM).read_bytes()
    ours = [STATIC / "snapshot", STATIC / "plain.mjs", Path(__file__).parent / "snapshot" / "page"]
    texts = [(folder / "pyodide.mjs").read_text("utf-8"), *_texts(ours)]
    kept, short = _short(script, texts)
    kept |= imported(archives.compiled())
    return Runtime(_eager(short).encode(), with_exports(wasm, kept))


def _texts(places: Sequence[Path]) -> Iterator[str]:
    for place in places:
        for path in sorted(place.rglob("*.mjs")) if place.is_dir() else [place]:
            yield path.read_text("utf-8")


def _short(script: str, others: Sequence[str]) -> tuple[set[str], str]:
    """Drop the variables that nothing mentions.

    Args:
        script: Emscripten's.
        others: What else runs in the page and may mention a name.

    Returns:
        The exports that the script still takes, and the script.
    """
    found = list(_ASSIGNMENT.finditer(script))
    rest = _ASSIGNMENT.sub("", script)
    # In the rest, a variable's name stands once, where it is declared.
    counts = Counter(_words(rest))
    elsewhere = {word for text in others for word in _words(text)}
    used = {
        match["export"]
        for match in found
        if counts[match["local"]] > 1
        or {match["local"], match["property"]} & elsewhere
        or (match["property"] != match["local"] and match["property"] in counts)
        or f'"{match["export"]}"' in rest
    }
    unused = {match["local"] for match in found if match["export"] not in used}
    if len(unused) < FEWEST:
        raise BuildError(
            f"{SCRIPT} has only {len(unused)} exports that nobody uses. "
            "This Pyodide is built in another way: look at builder/pyodide.py."
        )
    short = _ASSIGNMENT.sub(
        lambda match: match[0] if match["export"] in used else "", _undeclared(script, unused)
    )
    return used | set(re.findall(r'wasmExports(?:\["|\.)(\w+)', short)), short


def _words(text: str) -> Iterator[str]:
    return (match[0] for match in re.finditer(r"[\w$]+", text))


def _undeclared(script: str, names: set[str]) -> str:
    """Take names out of the list that declares what the exports are assigned to."""
    end = script.index(";function assignWasmExports(wasmExports){")
    begin = script.rindex("var ", 0, end) + len("var ")
    declared = script[begin:end].split(",")
    return script[:begin] + ",".join(n for n in declared if n not in names) + script[end:]


def _eager(script: str) -> str:
    """Put the one function that the script is into parentheses.

    V8 takes that for a function which is called at once, and doesn't read it twice
    (https://v8.dev/blog/preparser#pife).
    """
    if not (script.startswith(_FUNCTION) and script.rstrip().endswith(_END)):
        raise BuildError(f"{SCRIPT} isn't one function any more: look at builder/pyodide.py.")
    body = script.rstrip()[len(_FUNCTION) : -len(_END)]
    name = "_createPyodideModule"
    return f"const {name}=(async function(moduleArg={{}}){{{body}}});export default {name};\n"


def imported(libraries: Sequence[bytes]) -> set[str]:
    """Return the names that WASM libraries import, read by Node.js."""
    program = (
        "const {readFileSync} = require('node:fs');"
        "const names = process.argv.slice(1).flatMap((path) =>"
        " WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(path))));"
        "console.log(JSON.stringify(names.map(({name}) => name)));"
    )
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, content in enumerate(libraries):
            paths.append(Path(folder) / f"{number}.wasm")
            paths[-1].write_bytes(content)
        command = [str(node.executable()), "-e", program, *map(str, paths)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"Node.js could not read NumPy's libraries:\n{done.stderr[-2000:]}")
    return set(json.loads(done.stdout))


def with_exports(wasm: bytes, kept: set[str]) -> bytes:
    """Return a WASM module with fewer exported functions and globals.

    Args:
        wasm: The module, in binary form.
        kept: Names of the functions and globals that stay; memories, tables and tags all do.
    """
    out = [wasm[:8]]
    at = 8
    while at < len(wasm):
        length, content = _number(wasm, at + 1)
        end = content + length
        if wasm[at] == _EXPORTS:
            entries = list(_exports(wasm, content, kept))
            body = _encoded(len(entries)) + b"".join(entries)
            out += [bytes([_EXPORTS]), _encoded(len(body)), body]
        else:
            out.append(wasm[at:end])
        at = end
    return b"".join(out)


def _exports(wasm: bytes, at: int, kept: set[str]) -> Iterator[bytes]:
    """Yield the entries of an export section that stay."""
    count, at = _number(wasm, at)
    for _ in range(count):
        length, text = _number(wasm, at)
        kind = text + length
        _, end = _number(wasm, kind + 1)
        name = wasm[text:kind].decode()
        if wasm[kind] not in (_FUNCTION_KIND, _GLOBAL_KIND) or name in kept:
            yield wasm[at:end]
        at = end


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Read an unsigned LEB128 number; return it and where the next thing begins."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _encoded(value: int) -> bytes:
    """Write an unsigned LEB128 number."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
