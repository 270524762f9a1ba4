"""Pyodide's script and WASM with the exports that a page uses."""

import json
import subprocess

import pytest

from builder import archives, node, parts, pyodide


@pytest.fixture(scope="module")
def runtime():
    return pyodide.runtime()


def exports(path):
    """Names and kinds, read by the engine that runs them."""
    program = (
        "const module = new WebAssembly.Module(require('node:fs').readFileSync(process.argv[1]));"
        "console.log(JSON.stringify(WebAssembly.Module.exports(module)));"
    )
    command = [str(node.executable()), "-e", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {entry["name"]: entry["kind"] for entry in json.loads(done.stdout)}


def test_numpy_and_the_script_find_every_export_that_they_name(runtime, tmp_path):
    (tmp_path / "short.wasm").write_bytes(runtime.wasm)
    whole = exports(parts.folder("pyodide") / pyodide.WASM)
    short = exports(tmp_path / "short.wasm")
    assert short.items() <= whole.items()
    assert len(short) < len(whole) / 5
    wanted = pyodide.imported(archives.compiled()) & whole.keys()
    assert len(wanted) > 100
    assert wanted <= short.keys()
    script = runtime.script.decode()
    taken = {match["export"] for match in pyodide._ASSIGNMENT.finditer(script)}
    assert "malloc" in taken
    assert taken <= short.keys()
    others = {name for name, kind in whole.items() if kind not in ("function", "global")}
    assert others
    assert others <= short.keys()


def test_the_script_is_the_same_but_for_what_nobody_mentions(runtime, tmp_path):
    whole = (parts.folder("pyodide") / pyodide.SCRIPT).read_text("utf-8")
    short = runtime.script.decode()
    assert len(short) < 0.7 * len(whole)
    # One assignment in five hundred kilobytes that another part relied on would break a start.
    for name in ("_PyRun_SimpleString", "_malloc", "___timezone", "_emscripten_get_sbrk_ptr"):
        assert f'Module["{name}"]=' in short
    (tmp_path / "short.mjs").write_bytes(runtime.script)
    command = [str(node.executable()), "--check", str(tmp_path / "short.mjs")]
    subprocess.run(command, check=True)


def test_a_module_keeps_the_exports_that_are_asked_for_and_all_that_is_no_function_or_global():
    # (module (func $f) (memory 0)
    #   (export "f" (func $f)) (export "g" (func $f)) (export "m" (memory 0)))
    entries = bytes([3, 1, 0x66, 0, 0, 1, 0x67, 0, 0, 1, 0x6D, 2, 0])
    before = bytes(
        [0, 0x61, 0x73, 0x6D, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 0]
    )
    after = bytes([10, 4, 1, 2, 0, 11])
    module = before + bytes([7, len(entries)]) + entries + after
    kept = bytes([2, 1, 0x67, 0, 0, 1, 0x6D, 2, 0])
    assert pyodide.with_exports(module, {"g"}) == before + bytes([7, len(kept)]) + kept + after


def test_a_pyodide_that_is_built_otherwise_stops_the_build():
    with pytest.raises(pyodide.BuildError, match="built in another way"):
        pyodide._short('var _a;function assignWasmExports(wasmExports){_a=Module["_a"]=1}', [])
    with pytest.raises(pyodide.BuildError, match="isn't one function"):
        pyodide._eager("export default 1")
