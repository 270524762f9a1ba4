// One worker for each engine in use; Python calls their operations from outside.
const workers = new Map();

/** Start a worker, in place of the engine's earlier one: WASM never gives memory back. */
function start(engine, settings) {
  end(engine);
  const worker = new Worker(new URL("./engine.worker.mjs", import.meta.url), { type: "module" });
  workers.set(engine, worker);
  return call(engine, "start", settings);
}

/** What an operation of an engine's worker gives: {value} or {error: {code, message, fatal}}. */
function call(engine, op, args) {
  const worker = workers.get(engine);
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => resolve({ error: { code: "crash", message, fatal: true } });
    worker.postMessage({ op, args });
  });
}

function end(engine) {
  workers.get(engine)?.terminate();
  workers.delete(engine);
}

globalThis.laboratory = { start, call, end };
