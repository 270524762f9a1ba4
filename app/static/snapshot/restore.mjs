/**
 * Starts Pyodide from a memory snapshot: as if Python had been started, and NumPy imported, before.
 *
 * The order of things, where → means "needs":
 *   heap's pages → a module instance with NumPy's libraries in it → compiled WASM
 *   function table and handles → heap
 *   Pyodide's own second half (JavaScript objects, Python's proxies) → both
 * Everything that arrives from somewhere (scripts, WASM, snapshot) is on its way from the beginning.
 */
import { answering } from "../answering.mjs";
import { fetchExpanded } from "../expand.mjs";
import { fetchNow } from "../now.mjs";
import { checkParts, fillHeap, parse } from "./format.mjs";
import {
  hooked,
  lazyFile,
  replayTable,
  replayTimeZone,
  STAND_IN,
  spareCompiler,
} from "./internals.mjs";

/** Where Pyodide puts the archive of the standard library. */
const STANDARD_LIBRARY = "/lib/python314.zip";

/**
 * @param {object} from
 * @param {string} from.runtime the URL of Pyodide's folder
 * @param {string} from.wasm the URL of its WASM
 * @param {{url: string, bytes: number}} from.stdlib the standard library's archive, and its length
 * @param {import("./kept.mjs").KeptSnapshot} from.kept
 * @param {{path: string, url: string}[]} from.libraries what is loaded before Python starts
 * @param {Record<string, string>} from.ids the parts that this page has
 * @param {object} from.lock the `info` of Pyodide's lock file
 * @returns {Promise<object>} Pyodide
 */
export async function restorePyodide({ kept, ...parts }) {
  const source = kept.open();
  try {
    return await restoreFrom(source, parts);
  } finally {
    source.then(
      (opened) => opened.close(),
      () => {}, // there was nothing to open
    );
  }
}

async function restoreFrom(source, { runtime, wasm, stdlib, libraries, ids, lock }) {
  // First of all, since it is the longest way: fetch, parse, run, then wait for the WASM.
  const scripts = Promise.all([
    import(`${runtime}pyodide.asm.mjs`),
    import(`${runtime}pyodide.mjs`),
  ]);
  const compiled = compile(wasm);
  const loaded = Promise.all(
    libraries.map(async ({ path, url }) => ({ path, compiled: await compile(url) })),
  );
  const snapshot = source.then((opened) => {
    const parsed = parse(opened);
    checkParts(parsed.header.ids, ids);
    return { ...parsed, opened };
  });
  // Whichever fails first is reported by whoever awaits it; the others fail unheard.
  for (const promise of [compiled, loaded, snapshot]) promise.catch(() => {});
  const [{ default: create }, { loadPyodide, version }] = await scripts;
  checkParts({ pyodide: version }, { pyodide: ids.pyodide });

  const factory = hooked(create, compiled, loaded);
  const wanted = { [`${runtime}pyodide.asm.wasm`]: UNDER_WAY, [stdlib.url]: LATER };
  return answering(wanted, () =>
    loadPyodide({
      indexURL: runtime,
      stdLibURL: stdlib.url,
      packageBaseUrl: runtime,
      lockFileContents: JSON.stringify({ info: lock, packages: {} }),
      _loadSnapshot: STAND_IN,
      createPyodideModule: async (settings) => {
        const module = await factory(settings);
        lazyFile(module, STANDARD_LIBRARY, stdlib.bytes, () => fetchNow(stdlib.url));
        spareCompiler(module);
        const { header, head, pages, opened } = await snapshot;
        const original = module.API.restoreSnapshot;
        module.API.restoreSnapshot = () => {
          const used = module.HEAPU8.length;
          module.growMemory(header.heap);
          const state = original(head); // checks that it is of this very build of Pyodide
          fillHeap(module.HEAPU8, used, header, opened, pages);
          replayTable(module, factory.exports, header.table);
          replayTimeZone(module);
          return state;
        };
        return module;
      },
    }),
  );
}

const compile = async (url) => WebAssembly.compileStreaming(fetchExpanded(url));

/** What Pyodide's loader fetches by itself and need not: its WASM, which comes by `hooked` … */
const UNDER_WAY = () => new Promise(() => {});
/** … and the standard library, whose parts in use the snapshot holds. */
const LATER = async () => new Response("");
