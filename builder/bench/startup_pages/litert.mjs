// LiteRT.js' loader would look for its files beside the worker's script.

/** @param {string} folder where they lie */
export function beside(folder) {
  globalThis.Module = {
    locateFile: (file) => folder + file,
    mainScriptUrlOrBlob: `${folder}litert_wasm_threaded_internal.js`,
  };
}
