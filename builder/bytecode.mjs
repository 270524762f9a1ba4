// Compiles Python modules in the Pyodide that will run them: node bytecode.mjs <pyodide folder>
// reads {path: source} as JSON on stdin and writes, marshalled, {module: (code, is it a package)}.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const sources = readFileSync(0, "utf-8"); // before Pyodide touches stdin
const folder = process.argv[2];
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
const python = await loadPyodide({ indexURL: folder });
python.globals.set("sources", python.toPy(JSON.parse(sources)));
const archive = python.runPython(`
import marshal

modules = {}
for path, source in sorted(sources.items()):
    name, package = path.removesuffix(".py").replace("/", "."), path.endswith("__init__.py")
    code = compile(source, path, "exec", dont_inherit=True)
    modules[name.removesuffix(".__init__")] = code, package
marshal.dumps(modules)
`);
process.stdout.write(archive.toJs());
archive.destroy();
