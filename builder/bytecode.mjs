// Compiles Python modules in the Pyodide that will run them: node bytecode.mjs <pyodide folder>
// <NumPy's wheel> reads JSON on stdin, {sources: {path: source}, imported, here, known}, and writes what
// app/importer.py takes: marshalled, ({module: (marshalled code, is it a package)}, {generated
// source: code}). `imported` are the modules to import; what that needs of the sources is taken.
// `here` are sources of what a page has before; `known`, if not null, the modules of its snapshot:
// what else is needed of the standard library comes along.
//
// What nobody in a page reads is left out: the columns of tracebacks, and docstrings but for a dash:
// a dataclass without any would work out its signature for one whenever it is imported.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const given = readFileSync(0, "utf-8"); // before Pyodide touches stdin
const [, , folder, numpy] = process.argv;
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
const python = await loadPyodide({ indexURL: folder, env: { PYTHONNODEBUGRANGES: "1" } });
python.unpackArchive(new Uint8Array(readFileSync(numpy)), "wheel");
python.registerJsModule("satchel_host", {});
python.globals.set("given", given);
// Node.js would show the line of Pyodide's that threw, of a million characters, and nothing else.
process.on("uncaughtException", ({ message }) => {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
});
const archive = python.runPython(`
import ast
import dataclasses
import importlib
import json
import marshal
import sys
import zipimport

def undocumented(source):
    tree = ast.parse(source)
    for node in ast.walk(tree):
        match getattr(node, "body", None):
            case [ast.Expr(ast.Constant(str()) as text), *_]:
                text.value = "-"
    return tree

def compiled(sources):
    modules = {}
    for path, source in sorted(sources.items()):
        name, package = path.removesuffix(".py").replace("/", "."), path.endswith("__init__.py")
        code = compile(undocumented(source), path, "exec", dont_inherit=True)
        modules[name.removesuffix(".__init__")] = marshal.dumps(code), package
    return modules

given = json.loads(given)
before, modules = compiled(given["here"]), compiled(given["sources"])
names = {"__name__": "importer"}
exec(marshal.loads((before | modules)["importer"][0]), names)
archive = names["Archive"](before | modules, {})
archive.install()

# Dataclasses write their methods as source, and execute it: that is compiled here too.
generated = {}

def noting(source, *namespaces):
    generated[source] = compile(source, "<dataclass>", "exec", dont_inherit=True)
    exec(generated[source], *namespaces)

dataclasses.exec = noting
for name in before:
    importlib.import_module(name)
generated.clear()

def of_the_library(name):
    spec = sys.modules[name].__spec__
    return spec and isinstance(spec.loader, zipimport.zipimporter)

late = set() if given["known"] is None else sys.modules.keys() - set(given["known"])
for name in filter(of_the_library, late):
    del sys.modules[name]  # so that it is seen who imports it
for name in given["imported"]:
    importlib.import_module(name)

def taken(name):
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return spec and spec.loader is archive

modules = {name: code for name, code in modules.items() if taken(name)}
if given["known"] is not None:
    standard = {}
    for name in filter(of_the_library, sys.modules.keys() - set(given["known"])):
        loader = sys.modules[name].__spec__.loader
        path = loader.get_filename(name).rpartition(".zip/")[2].replace(".pyc", ".py")
        standard[path] = loader.get_source(name)
    modules |= compiled(standard)
marshal.dumps((modules, dict(sorted(generated.items()))))
`);
process.stdout.write(archive.toJs());
archive.destroy();
