// Lets a worker do the jobs that the address names, and reports what it says.
const worker = new Worker(new URL("worker.mjs", import.meta.url), { type: "module" });

const report = (body) => fetch("/bench/answer", { method: "POST", body: JSON.stringify(body) });

worker.onmessage = ({ data }) => report(data);
worker.onerror = (event) => report({ error: event.message || "worker.mjs could not be loaded" });
worker.postMessage(new URLSearchParams(location.search).get("jobs"));
