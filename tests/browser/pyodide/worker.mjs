// Boots Pyodide with micropip, then runs Python on request and answers with its JSON.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const booted = loadPyodide({
  indexURL: new URL("./pyodide/", import.meta.url).href,
  packages: ["numpy", "micropip"],
});

/** What a page with a strict policy gives its Python, which may evaluate no JavaScript. */
globalThis.load = (url) => import(url);

self.onmessage = async ({ data: code }) => {
  try {
    const python = await booted;
    postMessage({ value: await python.runPythonAsync(code) });
  } catch (error) {
    postMessage({ error: String(error.stack ?? error) });
  }
};
