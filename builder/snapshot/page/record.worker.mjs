// Records a memory snapshot: boots Pyodide, imports what the page will need, and hands over the
// heap and what belongs to it. builder/snapshot/record.py serves this and packs the result.
import { describeTable, hooked, STAND_IN } from "../../../app/static/snapshot/internals.mjs";

const STANDARD_LIBRARY = "/lib/python314.zip";

addEventListener("message", async ({ data }) => {
  try {
    postMessage({ value: await record(data) });
  } catch (error) {
    postMessage({ error: String(error.stack ?? error) });
  }
});

/**
 * @param {{runtime: string, numpy: string, site_packages: string,
 *   libraries: {path: string, url: string}[], code: string, ours: Record<string, string>}} given
 */
async function record({ runtime, numpy, site_packages: sitePackages, libraries, code, ours }) {
  const [{ loadPyodide }, { default: create }] = await Promise.all([
    import(`${runtime}pyodide.mjs`),
    import(`${runtime}pyodide.asm.mjs`),
  ]);
  const compile = (url) => WebAssembly.compileStreaming(fetch(url));
  const compiled = Promise.all(
    libraries.map(async ({ path, url }) => ({ path, compiled: await compile(url) })),
  );
  const compiledPyodide = compile(`${runtime}pyodide.asm.wasm`);
  const factory = hooked(create, compiledPyodide, compiled);
  let module;
  let base;
  const python = await loadPyodide({
    indexURL: runtime,
    _makeSnapshot: true,
    createPyodideModule: async (settings) => {
      module = await factory(settings);
      base = module.wasmTable.length;
      return module;
    },
  });
  // Not loadPackage: it would note down a package whose files are not there after a restore.
  const archive = await (await fetch(numpy)).arrayBuffer();
  python.unpackArchive(archive, "zip", { extractDir: sitePackages });
  // They are loaded already: only their names are looked for.
  for (const { path } of libraries) module.FS.writeFile(path, "");
  const namespace = python.toPy({});
  python.runPython(code, { globals: namespace });
  const prepare = namespace.get("prepare");
  const sources = python.toPy(ours);
  const modules = prepare(STANDARD_LIBRARY, sources);
  for (const proxy of [prepare, sources, namespace]) proxy.destroy();
  python.runPython("import gc; gc.collect(); del gc");
  const zeroed = zeroFreeMemory(module);
  // No serializer: a JavaScript object that Pyodide can't name again is an error.
  const snapshot = python.makeMemorySnapshot();
  const table = describeTable(
    module,
    factory.exports,
    base,
    libraries.map(({ path }) => path),
  );
  const fresh = await freshHeap(loadPyodide, runtime, hooked(create, compiledPyodide, compiled));
  for (const [name, body] of Object.entries({ snapshot, fresh })) {
    await fetch(name, { method: "PUT", body });
  }
  return { table, heap: module.HEAPU8.length, modules: modules.split(" "), zeroed };
}

/** The heap that a restore begins with: of a new instance, at the moment it would be filled. */
async function freshHeap(loadPyodide, runtime, factory) {
  const seen = {};
  const look = async (settings) => {
    seen.heap = (await factory(settings)).HEAPU8.slice();
    throw seen; // and no further
  };
  const options = { indexURL: runtime, _loadSnapshot: STAND_IN, createPyodideModule: look };
  await loadPyodide(options).catch((reason) => {
    if (reason !== seen) throw reason;
  });
  return seen.heap;
}

/**
 * Fills what `malloc` has free with zeros, which take no room in the snapshot: takes all of it in
 * ever smaller pieces, as long as the heap needn't grow for them, and gives it back.
 */
function zeroFreeMemory(module) {
  const LARGEST = 1 << 22;
  const SMALLEST = 32;
  const MOST = 200_000;
  const top = () => module.HEAPU32[module._emscripten_get_sbrk_ptr() >>> 2];
  const held = [];
  let zeroed = 0;
  for (let size = LARGEST; size >= SMALLEST; size >>= 1) {
    while (held.length < MOST) {
      const before = top();
      const block = module._malloc(size);
      if (!block) break;
      held.push(block);
      if (top() !== before) break;
      module.HEAPU8.fill(0, block, block + size);
      zeroed += size;
    }
  }
  for (const block of held) module._free(block);
  return zeroed;
}
