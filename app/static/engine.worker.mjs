// The engine worker: boots Pyodide and hands over to engine.py. What must run before Python is
// here, and nothing else.
import "./ending.mjs";
import * as host from "../satchel/platform/browser/host.mjs";
import { counted } from "./counted.mjs";
import { Engines } from "./engines.mjs";
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

async function boot({ site, base, first, ui, inference, firstEngine, threads }, tell) {
  const url = (relative) => new URL(relative, base).href;
  const { urls } = site;
  const engines = new Engines(site, host.features(), base);
  const begun = inference && { port: inference, engine: firstEngine, threads };
  host.setSpawner(spawner(begun, engines, url(urls.inference_worker), tell));
  host.onFirstLoad((needs) => tell("needs", needs));
  if (first) countDownloads(site.python.map(url), partSize(site, "Python"), tell);

  tell("phase", { phase: "python", text: "Starting Python", ms: performance.now() });
  const archive = fetchExpanded(url(urls.engine)).then((response) => response.arrayBuffer());
  archive.catch(() => {}); // reported where it is awaited
  const settings = { scope: scopeOf(site, base), build: site.build };
  for (const name of Object.keys(site.engines)) {
    for (const [what, place] of Object.entries(engines.urls(name))) settings[`${what}_url`] = place;
  }
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
  await value.serve(
    ui,
    { models, urls, engine: firstEngine },
    base,
    performance.now(),
    boot,
    asked,
  );
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
 * later one (another engine or number of threads, or a replacement) is this worker's own child.
 */
function spawner(begun, engines, worker, tell) {
  let given = begun && {
    port: begun.port,
    terminate: () => postMessage({ type: "end-inference" }),
    onerror: (report) =>
      addEventListener(
        "message",
        ({ data }) => data.type === "inference-dead" && report(data.message),
      ),
  };
  if (given) passOnProgress(given.port, tell);
  return async (engine, threads) => {
    if (given && engine === begun.engine && threads === begun.threads) {
      const first = given;
      given = null;
      return first;
    }
    await fetched(engine, tell);
    const child = new Worker(worker, { type: "module" });
    const { port1, port2 } = new MessageChannel();
    child.postMessage({ type: "init", ...engines.start(engine), threads, port: port2 }, [port2]);
    passOnProgress(port1, tell);
    return {
      port: port1,
      terminate: () => child.terminate(),
      onerror: (report) => child.addEventListener("error", (event) => report(event.message)),
    };
  };
}

/** Resolves when the page says that an engine's files can be used. */
function fetched(engine, tell) {
  return new Promise((resolve, reject) => {
    addEventListener("message", function hear({ data }) {
      if (data.type !== "engine-here" || data.engine !== engine) return;
      removeEventListener("message", hear);
      if (data.problem) reject(new Error(`It could not be fetched: ${data.problem}`));
      else resolve();
    });
    tell("wants-engine", engine);
  });
}

/** What an inference worker fetches is of interest to the page; until Python does, nobody listens. */
function passOnProgress(port, tell) {
  port.addEventListener(
    "message",
    ({ data }) => data.event === "download" && tell(data.event, data.value),
  );
  port.start();
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
