// Starts the recording worker for builder/snapshot/record.py, which asks for `outcome`.
globalThis.outcome = null;
globalThis.record = (given) => {
  const worker = new Worker(new URL("record.worker.mjs", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => {
    globalThis.outcome = data;
  };
  worker.onerror = ({ message }) => {
    globalThis.outcome = { error: message || "the recording worker could not be started" };
  };
  worker.postMessage(given);
};
