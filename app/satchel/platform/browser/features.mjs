// What this browser lends to inference engines, by the names that manifests use.
// Self-contained: the wheel carries this file, and the page's boot shim imports it, too.

// () => v128: i8x16.relaxed_swizzle of two splats, as in WebAssembly's relaxed-simd proposal
const RELAXED_SIMD = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0],
  ...[65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11],
);

const relaxedSimd = () => WebAssembly.validate(RELAXED_SIMD);

/**
 * Whether workers can share memory. WebKitGTK says that it is isolated and has no shared memory all
 * the same: ask for the thing itself.
 */
export const threads = () =>
  Boolean(globalThis.crossOriginIsolated) && typeof SharedArrayBuffer === "function";

/**
 * Whether WASM can have memory that could be shared: pages that aren't isolated can, with nobody. The
 * sizes are those of LiteRT's build with threads, in pages of 64 KiB; not every device has room for it.
 */
function sharedMemory() {
  try {
    return Boolean(new WebAssembly.Memory({ initial: 256, maximum: 32768, shared: true }));
  } catch {
    return false;
  }
}

/** Names of the features that are here. */
export function features() {
  const here = {
    "relaxed-simd": relaxedSimd(),
    "shared-memory": sharedMemory(),
    threads: threads(),
  };
  return Object.keys(here).filter((name) => here[name]);
}
