/**
 * Starts Pyodide from a memory snapshot: as if Python had been started, and NumPy imported, before.
 *
 * The order of things, where → means "needs":
 *   heap's pages → a module instance with NumPy's libraries in it → compiled WASM
 *   function table and handles → heap
 *   Pyodide's own second half (JavaScript objects, Python's proxies) → both
 * Everything that arrives from somewhere (scripts, WASM, snapshot) is on its way from the beginning.
 */
import { checkParts, fillHeap, parse } from "./format.mjs";
import { hooked, replayTable, replayTimeZone } from "./internals.mjs";

/** `loadPyodide` wants a snapshot before it makes the module; ours comes later, past this one. */
const STAND_IN = new Uint8Array(16);

/**
 * @param {object} from
 * @param {string} from.runtime the URL of Pyodide's folder
 * @param {import("./kept.mjs").KeptSnapshot} from.kept
 * @param {{path: string, url: string}[]} from.libraries what is loaded before Python starts
 * @param {Record<string, string>} from.ids the parts that this page has
 * @param {object} from.lock the `info` of Pyodide's lock file
 * @returns {Promise<object>} Pyodide
 */
export async function restorePyodide({ runtime, kept, libraries, ids, lock }) {
  const wasm = `${runtime}pyodide.asm.wasm`;
  const compiled = compile(wasm);
  const loaded = Promise.all(
    libraries.map(async ({ path, url }) => ({ path, compiled: await compile(url) })),
  );
  const snapshot = kept.read().then((bytes) => {
    const parsed = parse(bytes);
    checkParts(parsed.header.ids, ids);
    return parsed;
  });
  // Whichever fails first is reported by whoever awaits it; the others fail unheard.
  for (const promise of [compiled, loaded, snapshot]) promise.catch(() => {});
  const [{ loadPyodide, version }, { default: create }] = await Promise.all([
    import(`${runtime}pyodide.mjs`),
    import(`${runtime}pyodide.asm.mjs`),
  ]);
  checkParts({ pyodide: version }, { pyodide: ids.pyodide });

  const factory = hooked(create, compiled, loaded);
  const pyodide = await withoutFetching(wasm, () =>
    loadPyodide({
      indexURL: runtime,
      packageBaseUrl: runtime,
      lockFileContents: JSON.stringify({ info: lock, packages: {} }),
      _loadSnapshot: STAND_IN,
      createPyodideModule: async (settings) => {
        const module = await factory(settings);
        const { header, head, pages } = await snapshot;
        const original = module.API.restoreSnapshot;
        module.API.restoreSnapshot = () => {
          const used = module.HEAPU8.length;
          module.growMemory(header.heap);
          const state = original(head); // checks that it is of this very build of Pyodide
          fillHeap(module.HEAPU8, used, header, pages);
          replayTable(module, factory.exports, header.table);
          replayTimeZone(module);
          return state;
        };
        return module;
      },
    }),
  );
  return pyodide;
}

async function compile(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} could not be fetched (HTTP ${response.status})`);
  if (response.headers.get("content-type") === "application/wasm") {
    return WebAssembly.compileStreaming(response);
  }
  return WebAssembly.compile(await response.arrayBuffer()); // a host that doesn't know the type
}

/** Pyodide begins to fetch its WASM as soon as it is asked to load: here that is on its way already. */
async function withoutFetching(url, work) {
  const original = globalThis.fetch;
  globalThis.fetch = (input, init) =>
    String(input?.url ?? input) === url ? new Promise(() => {}) : original(input, init);
  try {
    return await work();
  } finally {
    globalThis.fetch = original;
  }
}
