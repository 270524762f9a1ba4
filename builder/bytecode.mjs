// Compiles Python modules in the Pyodide that will run them: node bytecode.mjs <pyodide folder>
// reads {name: source} as JSON on stdin and writes a zip archive of their bytecode to stdout.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const sources = readFileSync(0, "utf-8"); // before Pyodide touches stdin
const folder = process.argv[2];
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
const python = await loadPyodide({ indexURL: folder });
python.globals.set("sources", python.toPy(JSON.parse(sources)));
const archive = python.runPython(`
import importlib.util, io, zipfile
from importlib._bootstrap_external import _code_to_hash_pyc

# Beside no source, a .pyc is never checked against one; its hash only has to be there.
def compiled(name, source):
    code = compile(source, name, "exec", dont_inherit=True)
    return bytes(_code_to_hash_pyc(code, importlib.util.source_hash(source.encode()), False))

archive = io.BytesIO()
with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
    for name, source in sorted(sources.items()):
        out.writestr(zipfile.ZipInfo(name + "c", (2020, 1, 1, 0, 0, 0)), compiled(name, source), zipfile.ZIP_DEFLATED)
archive.getvalue()
`);
process.stdout.write(archive.toJs());
archive.destroy();
