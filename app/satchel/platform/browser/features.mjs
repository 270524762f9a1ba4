// What this browser lends to inference engines, by the names that manifests use.
// Self-contained: the wheel carries this file, and the page's boot shim imports it, too.

// () => v128: i8x16.relaxed_swizzle of two splats, as in WebAssembly's relaxed-simd proposal
const RELAXED_SIMD = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0],
  ...[65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11],
);

export const relaxedSimd = () => WebAssembly.validate(RELAXED_SIMD);

/**
 * Whether workers can share memory. WebKitGTK says that it is isolated and has no shared memory all
 * the same: ask for the thing itself.
 */
export const threads = () =>
  Boolean(globalThis.crossOriginIsolated) && typeof SharedArrayBuffer === "function";

/** Names of the features that are here. */
export function features() {
  const here = { "relaxed-simd": relaxedSimd(), threads: threads() };
  return Object.keys(here).filter((name) => here[name]);
}
