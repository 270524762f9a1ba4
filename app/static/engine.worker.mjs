// The engine worker: boots Pyodide and hands over to engine.py. What must run before Python is
// here, and nothing else.
import * as host from "../satchel/platform/browser/host.mjs";

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
  if (first) countDownloads([url(urls.pyodide), url(urls.wheel)], partSize(site, "Python"), tell);

  const brokenWasm = watchWasm();
  tell("phase", { phase: "python", text: "Starting Python", ms: performance.now() });
  const wheel = fetch(url(urls.wheel)).then(bytes);
  const entry = fetch(url(urls.engine)).then(bytes);
  const { loadPyodide } = await import(`${url(urls.pyodide)}pyodide.mjs`);
  const loading = loadPyodide({ indexURL: url(urls.pyodide), packages: ["numpy"] });
  const python = await Promise.race([loading, brokenWasm]);
  globalThis.pyodide = python; // for the console, and for whoever measures
  tell("phase", { phase: "packages", text: "Loading the engine", ms: performance.now() });
  python.unpackArchive(await wheel, "wheel");
  python.FS.writeFile("/home/pyodide/engine.py", new Uint8Array(await entry));
  python.registerJsModule("satchel_host", host);
  const satchel = python.pyimport("satchel");
  satchel.configure.callKwargs({
    ort_url: url(urls.ort),
    ort_wasm_url: url(urls.ort_wasm),
    scope: scope(base, site),
  });
  satchel.destroy();
  python.pyimport("engine").serve(ui, site, base, performance.now());
}

/** Where this site stores things: its folder and its key, so that two sites on one origin never meet. */
const scope = (base, site) => new URL(".", base).pathname + site.scope_key;

async function bytes(response) {
  if (!response.ok)
    throw new Error(`${response.url} could not be fetched (HTTP ${response.status}).`);
  return response.arrayBuffer();
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
  return async (wanted) => {
    if (given && wanted === threads) {
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

/**
 * A promise that is rejected when Pyodide's WASM cannot be used: Pyodide itself only warns of it,
 * and waits for ever. A wrong media type is none of its troubles: then it comes without streaming.
 */
function watchWasm() {
  const streaming = WebAssembly.instantiateStreaming;
  return new Promise((_, reject) => {
    WebAssembly.instantiateStreaming = async (source, imports) => {
      try {
        const response = await source;
        const type = response.headers.get("content-type");
        if (type === "application/wasm") return await streaming(response, imports);
        return await WebAssembly.instantiate(await bytes(response), imports);
      } catch (error) {
        reject(error);
        throw error;
      }
    };
  });
}

const partSize = (site, name) => site.parts.find((part) => part.name === name)?.bytes ?? 0;

/** On a first visit, count what Python's parts bring in, for the page's progress. */
function countDownloads(prefixes, total, tell) {
  const original = globalThis.fetch;
  let received = 0;
  globalThis.fetch = async (input, init) => {
    const response = await original(input, init);
    if (!response.body || !prefixes.some((prefix) => response.url.startsWith(prefix)))
      return response;
    const counter = new TransformStream({
      transform(chunk, controller) {
        received += chunk.length;
        tell("download", { part: "Python", received: Math.min(received, total), total });
        controller.enqueue(chunk);
      },
    });
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(counter), { status, statusText, headers });
  };
}
