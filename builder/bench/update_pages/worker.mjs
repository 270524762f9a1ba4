// Downloads files into IndexedDB, one after the other: by Satchel in Pyodide, or as plain JavaScript
// does it.
import * as host from "./host.mjs";
import { loadPyodide } from "./pyodide/pyodide.mjs";

const SETTLED = 10_000; // ms until what a start leaves behind is gone
const PAUSE = 1_000; // ms between two downloads

const arms = {
  async plain({ url }) {
    const database = await opened();
    const started = performance.now();
    const response = await fetch(url, { cache: "no-store" });
    await put(database, await response.blob());
    const ms = performance.now() - started;
    database.close();
    return { ms };
  },
  async satchel(file, source, python) {
    const started = performance.now();
    const told = await python.install(JSON.stringify(file), JSON.stringify(source ?? null));
    return { ms: performance.now() - started, ...JSON.parse(told) };
  },
  async versions({ first, second, place, turns }, _, python) {
    return JSON.parse(await python.versions(first, second, place, turns));
  },
};

self.onmessage = ({ data }) =>
  measured(data).then(postMessage, (error) => postMessage({ error: error.stack ?? `${error}` }));

async function measured(jobsUrl) {
  const python = await started();
  const { settle, jobs } = await (await fetch(jobsUrl)).json();
  if (settle) {
    await pause(SETTLED);
    postMessage({ settled: true });
    await pause(PAUSE);
  }
  const answers = [];
  for (const { arm, file, source, keep } of jobs) {
    answers.push(await arms[arm](file, source, python));
    if (keep) continue;
    await python.clear();
    await settled(indexedDB.deleteDatabase("plain"));
    await pause(PAUSE);
  }
  return { answers };
}

async function started() {
  const indexURL = new URL("pyodide/", import.meta.url).href;
  const python = await loadPyodide({ indexURL, packages: ["numpy"] });
  python.unpackArchive(await (await fetch("satchel.whl")).arrayBuffer(), "wheel");
  python.registerJsModule("satchel_host", host);
  python.runPython(await (await fetch("arms.py")).text());
  return Object.fromEntries(
    ["install", "versions", "clear"].map((name) => [name, python.globals.get(name)]),
  );
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function opened() {
  const request = indexedDB.open("plain", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("files");
  return settled(request);
}

function put(database, blob) {
  const transaction = database.transaction("files", "readwrite");
  transaction.objectStore("files").put(blob, "file");
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}
