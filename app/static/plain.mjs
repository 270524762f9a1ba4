/**
 * Starts Python the ordinary way, on nothing but Pyodide's documented interface: where there is no
 * snapshot, or where starting from it failed. NumPy is put where Python looks for packages.
 *
 * Pyodide fetches its WASM and the standard library itself; here it gets them expanded.
 */
import { answering } from "./answering.mjs";
import { fetchExpanded } from "./expand.mjs";

/**
 * @param {object} from
 * @param {string} from.runtime the URL of Pyodide's folder
 * @param {string} from.wasm @param {string} from.numpy URLs
 * @param {{url: string}} from.stdlib
 * @param {{path: string, url: string}[]} from.libraries NumPy's main libraries
 * @param {string} from.sitePackages @param {object} from.lock the `info` of Pyodide's lock file
 * @returns {Promise<object>} Pyodide
 */
export async function startPlainly(from) {
  const { runtime, wasm, stdlib, sitePackages, lock } = from;
  const bytes = async (url) => new Uint8Array(await (await fetchExpanded(url)).arrayBuffer());
  const files = Promise.all([
    bytes(from.numpy),
    ...from.libraries.map(async ({ path, url }) => ({ path, content: await bytes(url) })),
  ]);
  files.catch(() => {}); // reported where it is awaited
  const { loadPyodide } = await import(`${runtime}pyodide.mjs`);
  const python = await insisting(
    { [`${runtime}pyodide.asm.wasm`]: wasm, [stdlib.url]: stdlib.url },
    () =>
      loadPyodide({
        indexURL: runtime,
        packageBaseUrl: runtime,
        stdLibURL: stdlib.url,
        lockFileContents: JSON.stringify({ info: lock, packages: {} }),
      }),
  );
  const [numpy, ...libraries] = await files;
  python.unpackArchive(numpy, "zip", { extractDir: sitePackages });
  for (const { path, content } of libraries) python.FS.writeFile(path, content);
  return python;
}

/**
 * Does the work with what it fetches taken from where it really lies, and fails when any of it can't
 * be had or used: Pyodide itself only warns of that, and waits for ever.
 *
 * @param {Record<string, string>} places what is asked for, and its URL
 */
async function insisting(places, work) {
  const { instantiateStreaming } = WebAssembly;
  let fail;
  const failed = new Promise((_, reject) => {
    fail = reject;
  });
  const watched = (promise) => {
    promise.catch(fail);
    return promise;
  };
  const expanding = Object.entries(places).map(([asked, place]) => [
    asked,
    (fetch) => watched(fetchExpanded(place, fetch)),
  ]);
  WebAssembly.instantiateStreaming = (...given) =>
    watched(instantiateStreaming.apply(WebAssembly, given));
  try {
    return await answering(Object.fromEntries(expanding), () => Promise.race([work(), failed]));
  } finally {
    Object.assign(WebAssembly, { instantiateStreaming });
  }
}
