/**
 * Runs the interface: MicroPython with the bytecode of app/ui, and `ui.mjs` as its module `host`.
 */

/** {"main.mpy": base64, …}: builder/interface.py writes it in. */
const MODULES = globalThis.__SATCHEL_INTERFACE;

/** How long the interface waits at most for workers that don't begin. */
const WORKERS_MS = 500;

run().catch(sayWhy);

async function run() {
  const host = await import("./ui.mjs");
  const home = new URL(host.site.urls.micropython, document.baseURI).href;
  const { loadMicroPython } = await import(`${home}micropython.mjs`);
  const python = await loadMicroPython({ url: `${home}micropython.wasm` });
  await workersBegan(host);
  for (const [name, text] of Object.entries(MODULES)) python.FS.writeFile(name, decoded(text));
  python.registerJsModule("host", host);
  python.pyimport("main");
}

/** Bytes from base64. */
function decoded(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/**
 * A worker begins only when this thread has a moment for it, and MicroPython takes the thread for
 * long: the engine, which takes longest of all, would begin so much later.
 */
function workersBegan({ first, subscribe }) {
  if (first) return undefined; // the engine waits for the interface
  return new Promise((resolve) => {
    subscribe("phase", resolve);
    setTimeout(resolve, WORKERS_MS);
  });
}

/** Nothing of the page's Python may be there to say it. */
function sayWhy(error) {
  console.error(error);
  const [line] = error.message.trim().split("\n").slice(-1); // Python's come with their traceback
  const reason = line.replace(/[^.!?]$/, "$&.");
  const note = document.createElement("div");
  note.className = "note";
  note.dataset.kind = "bad";
  note.role = "alert";
  const text = document.createElement("p");
  text.textContent = `The page’s interface could not be started. ${reason} Reload the page to try again.`;
  note.append(text);
  document.getElementById("notes").append(note);
  const chip = document.getElementById("engine-state");
  chip.dataset.state = "failed";
  chip.textContent = "Not working";
}
