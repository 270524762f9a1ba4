// A bare page with Pyodide in a worker, as anyone might have it. The test asks for `outcome`.
const worker = new Worker(new URL("worker.mjs", import.meta.url), { type: "module" });
globalThis.run = (code) => {
  globalThis.outcome = null;
  worker.postMessage(code);
};
worker.onmessage = ({ data }) => {
  globalThis.outcome = data;
};
worker.onerror = (event) => {
  globalThis.outcome = { error: event.message };
};
