/**
 * Everything of Pyodide's and Emscripten's that a memory snapshot relies on and that no
 * documentation promises. Recording (builder/snapshot) and replaying (restore.mjs) share it.
 *
 * A WASM heap alone is no state of Python: it holds indices into the function table, and handles of
 * loaded libraries. So what is recorded beside the heap is
 *
 * - who owns each slot that the table grew by (a library's export, or Pyodide's own), by name;
 * - which handles `dlopen` gave out, and the free slots of the table.
 *
 * NumPy's two libraries are loaded before Python starts, in both runs alike and in the same order:
 * then their data and their functions lie at the same addresses, which the heap refers to.
 *
 * To move to another Pyodide: raise the version, then run tests/browser/test_boot_snapshot.py. A
 * name below that is gone makes the recording fail; `checkInternals` says which.
 */

/** Names used here and in restore.mjs, on the Emscripten module and in loadPyodide's settings. */
const NAMES = [
  "API",
  "FS",
  "HEAPU8",
  "HEAPU32",
  "LDSO", // Emscripten's table of loaded libraries: loadedLibsByName, loadedLibsByHandle
  "freeTableIndexes",
  "getEnvStrings",
  "growMemory",
  "loadWebAssemblyModule",
  "newDSO",
  "setWasmTableEntry",
  "updateTableMap",
  "wasmTable",
  // The C library's time zone: where it keeps it, and what asks JavaScript for it.
  "__tzset_js",
  "___timezone",
  "___daylight",
  "_tzname",
];

/** `loadPyodide` wants a snapshot before it makes the module; ours comes later, past this one. */
export const STAND_IN = new Uint8Array(16);

/** Throws when this Pyodide lacks one of the names that snapshots need. */
function checkInternals(module) {
  const gone = NAMES.filter((name) => module[name] === undefined);
  if (gone.length) throw new Error(`this Pyodide has no ${gone.join(", ")}`);
}

/**
 * A module factory for loadPyodide's setting `createPyodideModule` that uses what was compiled
 * meanwhile, and loads libraries before Python runs. The factory's `exports` are Pyodide's own, once
 * it has run.
 *
 * @param {(settings: object) => Promise<object>} create pyodide.asm.mjs's default export
 * @param {Promise<WebAssembly.Module>} compiled pyodide.asm.wasm
 * @param {Promise<{path: string, compiled: WebAssembly.Module}[]>} libraries
 */
export function hooked(create, compiled, libraries) {
  const factory = async (settings) => {
    const loaded = await libraries;
    settings.preRun.push((module) => {
      checkInternals(module);
      preload(module, loaded);
    });
    return new Promise((resolve, reject) => {
      settings.instantiateWasm = (imports, done) => {
        // Pyodide's own way on devices whose WASM can't hold the marker itself.
        const marker = Symbol("error marker");
        imports.env.Jsv_GetError_import = () => marker;
        imports.env.JsvError_Check = (value) => (value === marker ? 1 : 0);
        compiled
          .then(async (wasm) => {
            const instance = await WebAssembly.instantiate(wasm, imports);
            factory.exports = instance.exports;
            giveTypes(imports.env, [wasm, ...(await libraries).map(({ compiled }) => compiled)]);
            done(instance, wasm);
          })
          .catch(reject); // Pyodide itself would only warn, and wait for ever
        return {};
      };
      create(settings).then(resolve, reject);
    });
  };
  return factory;
}

/** WASM's number types by Emscripten's letters; "v" is none, "p" a pointer. */
const TYPES = { i: 0x7f, p: 0x7f, j: 0x7e, f: 0x7d, d: 0x7c };

/**
 * Gives a WASM type to each JavaScript function whose address modules ask for: only so can it be put
 * into the function table. Emscripten would compile a module for each of these 261 functions; this is
 * one module that imports and exports them all.
 *
 * @param {Record<string, Function>} functions Emscripten's imports by name; each has its `sig`
 * @param {WebAssembly.Module[]} modules
 */
function giveTypes(functions, modules) {
  const asked = modules.flatMap((module) => WebAssembly.Module.imports(module));
  const names = new Set(
    asked.filter(({ module }) => module === "GOT.func").map(({ name }) => name),
  );
  const untyped = [...names].filter((name) => {
    const { sig } = functions[name] ?? {};
    return sig && [...sig].every((letter, at) => letter in TYPES || (letter === "v" && at === 0));
  });
  const typed = new WebAssembly.Instance(
    new WebAssembly.Module(typing(untyped.map((name) => functions[name].sig))),
    { "": Object.fromEntries(untyped.map((name, index) => [index, functions[name]])) },
  );
  for (const [index, name] of untyped.entries()) {
    const { sig } = functions[name];
    functions[name] = Object.assign(typed.exports[index], { sig });
  }
}

/** A module that imports functions named "0", "1", … of the given types, and exports them again. */
function typing(signatures) {
  const types = [...new Set(signatures)];
  const number = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...number(value >> 7)]);
  const vector = (items) => [...number(items.length), ...items.flat()];
  const text = (string) => vector([...string].map((char) => char.charCodeAt(0)));
  const section = (id, items) => {
    const content = vector(items);
    return [id, ...number(content.length), ...content];
  };
  const type = ([result, ...given]) => [
    0x60,
    ...vector(given.map((letter) => TYPES[letter])),
    ...vector(result === "v" ? [] : [TYPES[result]]),
  ];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types.map(type)),
    ...section(
      2,
      signatures.map((sig, at) => [
        ...text(""),
        ...text(`${at}`),
        0,
        ...number(types.indexOf(sig)),
      ]),
    ),
    ...section(
      7,
      signatures.map((_, at) => [...text(`${at}`), 0, ...number(at)]),
    ),
  ]);
}

/**
 * Loads libraries before Python runs (in `preRun`), so that they lie where they lay when recording.
 * `dlopen` finds them by their path later.
 *
 * @param {object} module Emscripten's module
 * @param {{path: string, compiled: WebAssembly.Module}[]} libraries
 */
function preload(module, libraries) {
  for (const { path, compiled } of libraries) {
    const library = module.newDSO(path, undefined, "loading");
    library.refcount = Number.POSITIVE_INFINITY; // never unloaded
    library.global = false;
    library.exports = module.loadWebAssemblyModule(compiled, {}, path, {});
  }
}

/**
 * Puts content into an empty file only when somebody reads it. Emscripten's own lazy files would ask
 * the host for pieces.
 *
 * @param {object} module @param {string} path @param {number} length
 * @param {() => Uint8Array} load at once
 */
export function lazyFile({ FS }, path, length, load) {
  const INPUT_OUTPUT_ERROR = 29;
  const { node } = FS.lookupPath(path);
  let content;
  const read = () => {
    try {
      const bytes = load();
      if (bytes.length !== length)
        throw new Error(`${path} has ${bytes.length} bytes, not ${length}`);
      return bytes;
    } catch (error) {
      console.warn(error.message); // all that Python can be told is that it can't be read
      throw new FS.ErrnoError(INPUT_OUTPUT_ERROR);
    }
  };
  Object.defineProperty(node, "contents", {
    get() {
      content ??= read();
      return content;
    },
    set(value) {
      content = value;
    },
  });
  node.usedBytes = length;
}

/**
 * Describes the function table beyond its first `base` slots, and the libraries' handles.
 *
 * @returns {{base: number, slots: ([string, string] | null)[], handles: Record<string, string>, free: number[]}}
 *   a slot is [library's path, or "" for Pyodide itself; name of the export], or null when empty
 */
export function describeTable(module, exports, base, paths) {
  const owners = new Map();
  const own = (exported, path) => {
    for (const [name, value] of Object.entries(exported)) {
      if (typeof value === "function" && !owners.has(value)) owners.set(value, [path, name]);
    }
  };
  for (const path of paths) own(module.LDSO.loadedLibsByName[path].exports, path);
  own(exports, "");
  const slots = [];
  for (let index = base; index < module.wasmTable.length; index++) {
    const found = module.wasmTable.get(index);
    if (found && !owners.has(found)) throw new Error(`nobody owns table slot ${index}`);
    slots.push(found && owners.get(found));
  }
  const handles = {};
  for (const [handle, { name }] of Object.entries(module.LDSO.loadedLibsByHandle)) {
    if (Number(handle)) handles[handle] = name; // 0 is Pyodide itself
  }
  return { base, slots, handles, free: [...module.freeTableIndexes] };
}

/** Makes the function table and the handles what `describeTable` described. */
export function replayTable(module, exports, { base, slots, handles, free }) {
  if (module.wasmTable.length !== base) {
    throw new Error(`the function table has ${module.wasmTable.length} slots, not ${base}`);
  }
  const libraries = module.LDSO.loadedLibsByName;
  if (slots.length) module.wasmTable.grow(slots.length);
  for (const [offset, slot] of slots.entries()) {
    if (!slot) continue;
    const [path, name] = slot;
    const found = (path ? libraries[path]?.exports : exports)?.[name];
    if (!found) throw new Error(`${path || "Pyodide"} lacks ${name}`);
    module.setWasmTableEntry(base + offset, found);
  }
  module.updateTableMap(base, slots.length);
  for (const [handle, name] of Object.entries(handles)) {
    module.LDSO.loadedLibsByHandle[handle] = libraries[name];
  }
  module.freeTableIndexes.push(...free);
}

/** Tells the C library this device's time zone: it asked once, when the snapshot was recorded. */
export function replayTimeZone(module) {
  const names = module.HEAPU32.subarray(module._tzname >>> 2, (module._tzname >>> 2) + 2);
  module.__tzset_js(module.___timezone, module.___daylight, names[0], names[1]);
}

/**
 * Answers what Pyodide's second half would have Python's compiler run: five lines whose outcome a
 * restored Python has already. The compiler's first use is the slowest part of a start, since V8
 * compiles WASM where it is first used.
 */
export function spareCompiler({ API }) {
  const { finalizeBootstrap, rawRun, runPythonInternal } = API;
  API.finalizeBootstrap = (...given) => {
    let pyodide;
    // The first line: `import _pyodide_core`. With it, `API._pyodide` is there.
    API.rawRun = () => {
      pyodide = API._pyodide;
      const { _base, _importhook } = pyodide;
      const builtins = _base.__builtins__;
      const call = (name, ...more) => builtins.get(name)(...more);
      const answers = {
        "import importlib; importlib": () => call("__import__", "importlib"),
        "import __main__; __main__.__dict__": () => call("__import__", "__main__").__dict__,
        "import builtins; builtins.__dict__": () => builtins,
      };
      API._pyodide = { _base: { eval_code: () => call("dict") }, _importhook };
      API.runPythonInternal = (code) => {
        if (code in answers) return answers[code]();
        throw new Error(`this Pyodide runs ${code} when it is restored`);
      };
      return [0, ""];
    };
    try {
      return finalizeBootstrap(...given);
    } finally {
      API._pyodide = pyodide;
      Object.assign(API, { finalizeBootstrap, rawRun, runPythonInternal });
    }
  };
}

/** This session's environment for Python, as the C library would give it: ["NAME=value"]. */
export const environment = (pyodide) => pyodide._module.getEnvStrings();
