// Compiles Python modules in the Pyodide that will run them: node bytecode.mjs <pyodide folder>
// <NumPy's wheel> reads {path: source} as JSON on stdin and writes what app/importer.py takes:
// marshalled, ({module: (marshalled code, is it a package)}, {generated source: code}).
//
// What nobody in a page reads is left out: the columns of tracebacks, and docstrings but for a dash:
// a dataclass without any would work out its signature for one whenever it is imported.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const sources = readFileSync(0, "utf-8"); // before Pyodide touches stdin
const [, , folder, numpy] = process.argv;
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
const python = await loadPyodide({ indexURL: folder, env: { PYTHONNODEBUGRANGES: "1" } });
python.unpackArchive(new Uint8Array(readFileSync(numpy)), "wheel");
python.registerJsModule("satchel_host", {});
python.globals.set("sources", python.toPy(JSON.parse(sources)));
const archive = python.runPython(`
import ast
import dataclasses
import importlib
import marshal

def undocumented(source):
    tree = ast.parse(source)
    for node in ast.walk(tree):
        match getattr(node, "body", None):
            case [ast.Expr(ast.Constant(str()) as text), *_]:
                text.value = "-"
    return tree

modules = {}
for path, source in sorted(sources.items()):
    name, package = path.removesuffix(".py").replace("/", "."), path.endswith("__init__.py")
    code = compile(undocumented(source), path, "exec", dont_inherit=True)
    modules[name.removesuffix(".__init__")] = marshal.dumps(code), package

names = {"__name__": "importer"}
exec(marshal.loads(modules["importer"][0]), names)
names["Archive"](modules, {}).install()

# Dataclasses write their methods as source, and execute it: that is compiled here too.
generated = {}

def noting(source, *namespaces):
    generated[source] = compile(source, "<dataclass>", "exec", dont_inherit=True)
    exec(generated[source], *namespaces)

dataclasses.exec = noting
for name in modules:
    importlib.import_module(name)
marshal.dumps((modules, dict(sorted(generated.items()))))
`);
process.stdout.write(archive.toJs());
archive.destroy();
