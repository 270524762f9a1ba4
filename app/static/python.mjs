/**
 * Starts Python with NumPy: from a memory snapshot where that works, the ordinary way elsewhere.
 *
 * `use` gets Python and does what must work for the start to count; if it fails on a snapshot, that
 * is a reason to start anew without it.
 *
 * @param {object} site @param {string} base what the site's URLs are relative to
 * @param {(python: object, restored: boolean) => T} use
 * @returns {Promise<{value: T, boot: {kind: "snapshot" | "plain", reason: string}, later: () => Promise<void>}>}
 *   `later` does what can wait until the page is ready
 * @template T
 */
import { KeptSnapshot } from "./snapshot/kept.mjs";
import { restorePyodide } from "./snapshot/restore.mjs";

export async function startPython({ site, base, scope }, use) {
  const url = (relative) => new URL(relative, base).href;
  const runtime = url(site.urls.pyodide);
  const { snapshot } = site;
  const why = whyNot(snapshot, base);
  if (why) return { ...(await plain(runtime, use, why)), later: async () => {} };

  const { sha256, bytes, ids, lock } = snapshot;
  const kept = new KeptSnapshot({ url: url(snapshot.url), sha256, bytes }, scope);
  const libraries = snapshot.libraries.map(({ path, url: at }) => ({ path, url: url(at) }));
  try {
    const python = await restorePyodide({ runtime, kept, libraries, ids, lock });
    const value = await use(python, true);
    const later = () => kept.keep().catch(() => {}); // without room, or such a file system: next time again
    return { value, boot: { kind: "snapshot", reason: "" }, later };
  } catch (error) {
    const started = await plain(runtime, use, error.message ?? String(error));
    return { ...started, later: () => kept.drop().catch(() => {}) };
  }
}

function whyNot(snapshot, base) {
  if (!snapshot) return "this build has no snapshot";
  if (new URL(base).searchParams.get("boot") === "plain") return "the address says boot=plain";
  return "";
}

async function plain(runtime, use, reason) {
  const brokenWasm = watchWasm();
  const { loadPyodide } = await import(`${runtime}pyodide.mjs`);
  const loading = loadPyodide({ indexURL: runtime, packages: ["numpy"] });
  const python = await Promise.race([loading, brokenWasm]);
  return { value: await use(python, false), boot: { kind: "plain", reason } };
}

/**
 * A promise that is rejected when Pyodide's WASM cannot be used: Pyodide itself only warns of it,
 * and waits for ever. A wrong media type is none of its troubles: then it comes without streaming.
 */
function watchWasm() {
  const streaming = WebAssembly.instantiateStreaming;
  return new Promise((_, reject) => {
    WebAssembly.instantiateStreaming = async (source, imports) => {
      try {
        const response = await source;
        if (!response.ok)
          throw new Error(`${response.url} could not be fetched (HTTP ${response.status})`);
        const type = response.headers.get("content-type");
        if (type === "application/wasm") return await streaming(response, imports);
        return await WebAssembly.instantiate(await response.arrayBuffer(), imports);
      } catch (error) {
        reject(error);
        throw error;
      }
    };
  });
}
