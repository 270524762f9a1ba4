// The engine worker: boots Pyodide and hands over to engine.py. What must run before Python is
// here, and nothing else.
import * as host from "../satchel/platform/browser/host.mjs";
import { counted } from "./counted.mjs";
import { fetchExpanded } from "./expand.mjs";
import { fetchNow } from "./now.mjs";
import { scopeOf } from "./place.mjs";
import { startPython } from "./python.mjs";
import { environment } from "./snapshot/internals.mjs";

addEventListener("message", function receive({ data }) {
  if (data.type !== "init") return;
  removeEventListener("message", receive);
  const tell = (event, value) => data.ui.postMessage({ event, value });
  host.pulse().then((name) => tell("pulse", name));
  boot(data, tell).catch((error) => {
    // Calls that are waiting get the reason too.
    const why = `${error.message ?? error}`.replace(/[^.!?]$/, "$&.");
    const message = `Python could not be started. ${why} Reload the page to try again.`;
    data.ui.onmessage = ({ data: { id } }) =>
      data.ui.postMessage({ id, error: { name: "BootError", message } });
    tell("phase", { phase: "failed", text: message, ms: performance.now() });
  });
});

async function boot({ site, base, first, ui, inference, threads }, tell) {
  const url = (relative) => new URL(relative, base).href;
  const { urls } = site;
  host.setSpawner(
    spawner(inference, threads, url(urls.inference_worker), url(urls.ort), url(urls.ort_wasm)),
  );
  inference.addEventListener(
    "message",
    ({ data }) => data.event === "download" && tell(data.event, data.value),
  );
  inference.start(); // nobody else listens before Python does
  host.onFirstLoad((needs) => tell("needs", needs));
  if (first) countDownloads(site.python.map(url), partSize(site, "Python"), tell);

  tell("phase", { phase: "python", text: "Starting Python", ms: performance.now() });
  const archive = fetchExpanded(url(urls.engine)).then((response) => response.arrayBuffer());
  archive.catch(() => {}); // reported where it is awaited
  const settings = {
    ort_url: url(urls.ort),
    ort_wasm_url: url(urls.ort_wasm),
    scope: scopeOf(site, base),
  };
  const { value, boot, later } = await startPython(
    { site, base, scope: settings.scope },
    async (python, restored) => {
      globalThis.pyodide = python; // for the console, and for whoever measures
      tell("phase", { phase: "packages", text: "Loading the engine", ms: performance.now() });
      return loadEngine(python, await archive, settings, restored && url(site.pyodide.numpy));
    },
  );
  const { models } = site; // each string of it takes its time to cross over
  const updates = async () => (await fetchExpanded(url(urls.updates))).arrayBuffer();
  const asked = { site, updates };
  await value.serve(ui, { models, urls }, base, performance.now(), boot, asked);
  await later();
}

/** The importer: it lies in the snapshot; a plain start finds it in the engine's bytecode. */
function importer(python, archive, restored) {
  if (restored) return python.pyimport("importer");
  const names = python.toPy({ archive });
  const module = python.runPython(UNPACKING, { globals: names });
  names.destroy();
  return module;
}

const UNPACKING = `
import marshal, sys, types
modules, _ = marshal.loads(archive)
for name in ("importer", "session"):
    sys.modules[name] = types.ModuleType(name)
    exec(marshal.loads(modules[name][0]), vars(sys.modules[name]))
sys.modules["importer"]
`;

/** Makes the engine importable, and imports it. `numpy` is the URL of NumPy's files after a restore. */
function loadEngine(python, archive, settings, numpy) {
  const restored = numpy
    ? { environment: environment(python), numpy: () => fetchNow(numpy) }
    : undefined;
  const ours = importer(python, archive, restored);
  const engine = ours.start(archive, host, settings, restored);
  ours.destroy();
  return engine;
}

/**
 * Inference workers. The first one was started by the page, at the same time as this worker; any
 * later one (another number of threads, or a replacement) is this worker's own child.
 */
function spawner(port, threads, worker, ort, ortWasm) {
  let given = { port, terminate: () => postMessage({ type: "end-inference" }), onerror };
  function onerror(report) {
    addEventListener(
      "message",
      ({ data }) => data.type === "inference-dead" && report(data.message),
    );
  }
  return async (engine, wanted) => {
    if (given && engine === "onnxruntime" && wanted === threads) {
      const first = given;
      given = null;
      return first;
    }
    const child = new Worker(worker, { type: "module" });
    const { port1, port2 } = new MessageChannel();
    child.postMessage({ type: "init", ort, ort_wasm: ortWasm, threads: wanted, port: port2 }, [
      port2,
    ]);
    return {
      port: port1,
      terminate: () => child.terminate(),
      onerror: (report) => child.addEventListener("error", (event) => report(event.message)),
    };
  };
}

const partSize = (site, name) => site.parts.find((part) => part.name === name)?.bytes ?? 0;

/** On a first visit, count what Python's parts bring in, for the page's progress. */
function countDownloads(urls, total, tell) {
  const original = globalThis.fetch;
  let received = 0;
  globalThis.fetch = async (input, init) => {
    const response = await original(input, init);
    if (!urls.includes(response.url)) return response;
    return counted(response, (bytes) => {
      received += bytes;
      tell("download", { part: "Python", received: Math.min(received, total), total });
    });
  };
}
