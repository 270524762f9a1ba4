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
import { startPlainly } from "./plain.mjs";
import { KeptSnapshot } from "./snapshot/kept.mjs";
import { restorePyodide } from "./snapshot/restore.mjs";

export async function startPython({ site, base, scope }, use) {
  const { snapshot } = site;
  const parts = partsOf(site, base);
  const why = whyNot(snapshot, base);
  if (why) return { ...(await plain(parts, use, why)), later: async () => {} };

  const { sha256, bytes, ids } = snapshot;
  const kept = new KeptSnapshot({ url: new URL(snapshot.url, base).href, sha256, bytes }, scope);
  try {
    const python = await restorePyodide({ ...parts, kept, ids });
    const value = await use(python, true);
    const later = () => kept.keep().catch(() => {}); // without room, or such a file system: next time again
    return { value, boot: { kind: "snapshot", reason: "" }, later };
  } catch (error) {
    const started = await plain(parts, use, error.message ?? String(error));
    return { ...started, later: () => kept.drop().catch(() => {}) };
  }
}

/** What both ways start from, with absolute URLs. */
function partsOf(site, base) {
  const url = (relative) => new URL(relative, base).href;
  const { lock, wasm, stdlib, numpy, libraries, site_packages: sitePackages } = site.pyodide;
  return {
    runtime: url(site.urls.pyodide),
    lock,
    wasm: url(wasm),
    stdlib: { url: url(stdlib.url), bytes: stdlib.bytes },
    numpy: url(numpy),
    libraries: libraries.map(({ path, url: at }) => ({ path, url: url(at) })),
    sitePackages,
  };
}

function whyNot(snapshot, base) {
  if (!snapshot) return "this build has no snapshot";
  if (new URL(base).searchParams.get("boot") === "plain") return "the address says boot=plain";
  return "";
}

async function plain(parts, use, reason) {
  const python = await startPlainly(parts);
  return { value: await use(python, false), boot: { kind: "plain", reason } };
}
