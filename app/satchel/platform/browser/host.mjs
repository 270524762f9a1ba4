// What the browser platform needs from JavaScript: a message RPC, downloads, IndexedDB transactions (no await
// of Python's survives inside one), image decoding, and starting inference workers.
// The wheel carries this file, and the page's bundle imports from it.
export { features } from "./features.mjs";

/** Calls over a MessagePort: {id, op, args} → {id, value} | {id, error} | {id, progress}; events {event, value}. */
export class Rpc {
  #next = 0;
  #calls = new Map();
  onevent = () => {};
  /** Whether nobody is there any more to answer. */
  ended = false;

  constructor(port) {
    this.port = port;
    port.onmessage = ({ data }) => this.#receive(data);
  }

  call(op, args = [], { transfer = [], onProgress, signal } = {}) {
    return new Promise((resolve, reject) => {
      if (this.ended) throw dead();
      const id = ++this.#next;
      this.#calls.set(id, { resolve, reject, onProgress });
      signal?.addEventListener("abort", () => this.port.postMessage({ cancel: id }), {
        once: true,
      });
      this.port.postMessage({ id, op, args }, transfer);
    });
  }

  /** Let every open call fail, and each later one: the other side is gone. */
  fail(error) {
    if (this.ended) return;
    this.ended = true;
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }

  #receive({ id, value, error, progress, event }) {
    if (event !== undefined) return this.onevent(event, value);
    const call = this.#calls.get(id);
    if (!call) return;
    if (progress !== undefined) return call.onProgress?.(progress);
    this.#calls.delete(id);
    if (error) call.reject(Object.assign(new Error(error.message), error));
    else call.resolve(value);
  }
}

/**
 * Give Python what comes on a port: `call` gets (id, op, args), `cancel` an id. Values cross more
 * cheaply than an object that Python must look into.
 */
export function listen(port, call, cancel) {
  port.onmessage = ({ data }) =>
    data.cancel === undefined ? call(data.id, data.op, data.args) : cancel(data.cancel);
}

// ---- inference workers

let spawner = null;

/** Use `spawn` for inference workers (the page's own way):
 * async (engine, threads) => {port, terminate(), onerror(report)}. */
export function setSpawner(spawn) {
  spawner = spawn;
}

/** Whether `spawn` needs a script to start a worker from, having no spawner. */
export const needsScript = () => spawner === null;

/**
 * An inference worker: {rpc, terminate}.
 *
 * `engine` is its name, as manifests have it; `places` are the URLs that its module's `serve` takes.
 * `script` is the URL of that module, for pages without a spawner.
 */
export async function spawn(engine, threads, places, script) {
  const { port, terminate, onerror } = await (spawner?.(engine, threads) ??
    spawnFrom(script, { ...places, threads }));
  const rpc = Object.assign(new Rpc(port), { engine });
  let code = "unavailable"; // a policy can refuse the worker, and says nothing
  onerror((why) => rpc.fail(dead(why, code)));
  rpc.call("pulse").then(
    (name) => {
      code = "crash";
      afterEnd(name, () => rpc.fail(dead()));
    },
    () => {},
  );
  const end = () => {
    rpc.fail(dead());
    terminate();
  };
  return { rpc, terminate: end };
}

const dead = (why, code = "crash") =>
  Object.assign(new Error(why || "the worker was ended"), { code, fatal: true });

/**
 * The name of a lock that this worker holds as long as it lives. A worker that the browser ends
 * has no event to say so, but its locks pass on.
 */
export function pulse() {
  return new Promise((resolve) => {
    if (!navigator.locks) return resolve(null);
    const name = `satchel:pulse:${crypto.randomUUID()}`;
    navigator.locks.request(name, () => {
      resolve(name);
      return new Promise(() => {});
    });
  });
}

/** Call `report` once the worker with this pulse is gone, however it went. */
export function afterEnd(name, report) {
  if (name) navigator.locks.request(name, () => report());
}

function spawnFrom(script, places) {
  const { port1, port2 } = new MessageChannel();
  const init = { type: "init", ...places, port: port2 };
  if (globalThis.ort && "ort" in places) {
    // The page brought its own engine, which lives in this thread.
    return import(script).then(({ serve }) => {
      serve(init);
      return { port: port1, terminate: () => port2.close(), onerror: () => {} };
    });
  }
  const worker = new Worker(script, { type: "module" });
  worker.postMessage(init, [port2]);
  const onerror = (report) => worker.addEventListener("error", (event) => report(event.message));
  return { port: port1, terminate: () => worker.terminate(), onerror };
}

const digests = new WeakMap(); // blobs that came from the store, and their names there
let tellFirst = null;

/**
 * Call `listener` once, with what is loaded first: {digest, options, engine}. The `ahead` of
 * answering.mjs takes it on the next visit.
 */
export function onFirstLoad(listener) {
  tellFirst = listener;
}

/** A session for a model. */
export function load(rpc, blob, options) {
  const digest = digests.get(blob);
  const loaded = rpc.call("load", [blob, options, digest]);
  if (digest && tellFirst) {
    const tell = tellFirst;
    tellFirst = null;
    // Not before: what ends the page while it is loaded is not to be loaded ahead of Python.
    loaded.then(
      () => tell({ digest, options, engine: rpc.engine }),
      () => {},
    );
  }
  return loaded;
}

/**
 * One run; the buffers of `feeds` are transferred. Calls `arrived` with (number, true, outputs) or
 * (number, false, error): a promise would cost Python more.
 */
export function run(rpc, handle, feeds, number, arrived) {
  const transfer = feeds
    .filter(([, type]) => type !== "string")
    .map(([, , , bytes]) => bytes.buffer);
  rpc.call("run", [handle, feeds], { transfer }).then(
    (outputs) => arrived(number, true, outputs),
    (error) => arrived(number, false, error),
  );
}

// ---- downloads

/**
 * A GET whose body is read `size` bytes at a time: {opened, ok, status, reason, whole, start,
 * retryAfter, read, close}. `first` and `last` are the bytes to ask for; without them it is the
 * whole file. After `stall` ms without a byte it fails.
 */
export function body(url, first, last, size, stall) {
  return new Body(url, first, last, size, stall);
}

class Body {
  #controller = new AbortController();
  #timer;
  #bytes;

  constructor(url, first, last, size, stall) {
    this.stall = stall;
    this.opened = this.#open(url, first, last, size);
    this.opened.catch(() => {}); // whoever gave up does not listen any more
  }

  async #open(url, first, last, size) {
    // A single range like this one needs no preflight at another origin; other headers would.
    const headers = first == null ? {} : { Range: `bytes=${first}-${last}` };
    const { signal } = this.#controller;
    // What comes is kept in the store, once it has been verified. The HTTP cache would only keep
    // it twice, and give what came spoilt again, for as long as the host allows.
    const options = { headers, signal, credentials: "same-origin", cache: "no-store" };
    const response = await this.#watched(fetch(url, options));
    this.ok = response.ok;
    this.status = response.status;
    this.reason = response.statusText;
    this.retryAfter = seconds(response.headers.get("Retry-After"));
    // Other origins may hide Content-Range; then it is what was asked for, as far as we know.
    const said = /^bytes (\d+)-/.exec(response.headers.get("Content-Range") ?? "");
    this.whole = response.status !== 206;
    this.start = this.whole ? 0 : Number(said?.[1] ?? first ?? 0);
    this.#bytes = new Bytes(response.body ?? new Blob().stream(), size);
  }

  /** The next bytes: `size` of them, fewer after `wait` ms, none at the end. */
  read(wait) {
    return this.#bytes.read(wait, (promise) => this.#watched(promise));
  }

  close() {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }

  async #watched(promise) {
    const stalled = () => this.#controller.abort(new Error("Nothing came any more"));
    this.#timer = setTimeout(stalled, this.stall);
    try {
      return await promise;
    } catch (error) {
      throw plain(error, "The connection was cut");
    } finally {
      clearTimeout(this.#timer);
    }
  }
}

/** A Blob's bytes from its beginning, `size` at a time, none at the end: {read}. */
export const streamed = (blob, size) => new Bytes(blob.stream(), size);

const PIECE = 65536; // bytes that streams give at a time
const NONE = new Uint8Array();

/**
 * A stream's bytes, over and over in the same memory: what a large file would leave to the garbage
 * collector piles up when the machine is busy.
 */
class Bytes {
  #reader;
  #pool = null; // the browser fills it, and gives it back
  #room; // what is shown
  #rest = NONE; // what did not fit into it
  #coming = null;

  constructor(stream, size) {
    this.#room = new Uint8Array(size);
    try {
      this.#reader = stream.getReader({ mode: "byob" });
      this.#pool = new ArrayBuffer(PIECE);
    } catch {
      this.#reader = stream.getReader(); // some browsers give arrays of their own only
    }
  }

  /** A view of the next bytes, good until the next call: all there is room for, or less after `wait` ms. */
  async read(wait, watched = (promise) => promise) {
    const late = new Promise((resolve) => wait && setTimeout(resolve, wait, "late"));
    let length = 0;
    while (length < this.#room.length) {
      if (!this.#rest.length) {
        const next = this.#next();
        const came = length ? await Promise.race([next, late]) : await watched(next);
        if (came === "late") break; // the next call will have it
        if (came.error && !length) throw came.error;
        if (!came.value?.length) break; // the end, or an error: the next call gets it again
        this.#coming = null;
        if (this.#pool) this.#pool = came.value.buffer;
        this.#rest = came.value;
      }
      const fits = this.#rest.subarray(0, this.#room.length - length);
      this.#room.set(fits, length);
      this.#rest = this.#rest.subarray(fits.length);
      length += fits.length;
    }
    return this.#room.subarray(0, length);
  }

  /** What comes next: {value} or {error}; the same until it was taken. */
  #next() {
    const read = () => this.#reader.read(...(this.#pool ? [new Uint8Array(this.#pool)] : []));
    this.#coming ??= read().catch((error) => ({ error: plain(error, "The connection was cut") }));
    return this.#coming;
  }
}

/** Retry-After, a number or a date (RFC 9110, 10.2.3), as seconds from now; -1: it doesn't say. */
function seconds(retryAfter) {
  if (!retryAfter) return -1;
  const number = Number(retryAfter);
  const left = Number.isNaN(number) ? (Date.parse(retryAfter) - Date.now()) / 1000 : number;
  return Number.isNaN(left) ? -1 : Math.max(0, left);
}

// ---- IndexedDB

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(plain(request.error, "IndexedDB request failed"));
  });

/**
 * An Error that Pyodide can hand to Python. It knows neither null nor Chromium's newer subclasses
 * of DOMException, QuotaExceededError among them, and leaves Python's await hanging for ever.
 */
function plain(error, otherwise) {
  return Object.assign(new Error(error?.message || otherwise), {
    name: error?.name ?? "AbortError",
  });
}

/** Open a database, creating the object stores that are missing. */
export function openDatabase(name, version, tables) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    request.onupgradeneeded = () => {
      for (const table of tables) {
        if (!request.result.objectStoreNames.contains(table))
          request.result.createObjectStore(table);
      }
    };
    request.onerror = () => reject(plain(request.error, "IndexedDB cannot be opened"));
    request.onsuccess = () => {
      const database = request.result;
      // Another tab with a newer version may upgrade; the next use here opens afresh.
      database.onversionchange = () => database.close();
      resolve(database);
    };
  });
}

export async function get(database, table, key) {
  const value = await settled(database.transaction(table).objectStore(table).get(key));
  if (value instanceof Blob) digests.set(value, key);
  return value;
}

/** All of a table, or what a key range has of it: [keys, values]. */
export function getAll(database, table, range) {
  const store = database.transaction(table).objectStore(table);
  return Promise.all([settled(store.getAllKeys(range)), settled(store.getAll(range))]);
}

/** Apply [["put", table, key, value] | ["delete", table, key], …] in one durable transaction. */
export async function commit(database, changes) {
  try {
    await transact(database, changes);
  } catch (error) {
    // Some browsers refuse Blobs in IndexedDB; bytes they always take.
    if (!["DataCloneError", "UnknownError"].includes(error.name)) throw error;
    const plain = changes.map(async ([op, table, key, value]) => [
      op,
      table,
      key,
      value instanceof Blob ? await value.arrayBuffer() : value,
    ]);
    await transact(database, await Promise.all(plain));
  }
}

function transact(database, changes) {
  const tables = [...new Set(changes.map(([, table]) => table))];
  const transaction = database.transaction(tables, "readwrite", { durability: "strict" });
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = () => {
      release(changes);
      resolve();
    };
    transaction.onabort = () => reject(plain(transaction.error, "The transaction was aborted"));
  });
  for (const [op, table, key, value] of changes) {
    const store = transaction.objectStore(table);
    if (op === "put") store.put(value, key);
    else store.delete(key);
  }
  return done;
}

const HELD = 1 * 1024 * 1024;
const PRESSURE = 256 * 1024 * 1024;
let held = 0; // bytes of Blobs that are stored, and that the browser holds in memory all the same
const collected = new FinalizationRegistry((size) => {
  held -= size;
});

/**
 * Have the Blobs that were stored let go of. Their bytes lie in the browser's memory until their
 * handles are collected as garbage, and the collector sees the handles only, which are tiny: a
 * download of 100 MB would stay in memory as a whole. It looks when much is asked for; memory that
 * nobody touches costs nothing.
 */
function release(changes) {
  // A whole file may well be in use: only what is on its way is of no use any more.
  const parts = changes.filter(([, table, , value]) => table === "parts" && value instanceof Blob);
  for (const [, , , part] of parts) {
    held += part.size;
    collected.register(part, part.size);
  }
  if (!parts.length || held < HELD) return;
  try {
    new ArrayBuffer(PRESSURE);
  } catch {
    // Where there is no address space for it, the collector is at work anyway.
  }
}

// ---- locks

/**
 * A Web Lock: {granted: Promise of whether it is held, release(): Promise of its being free}.
 * Released before it is granted, it leaves the queue. `how` may hold the `mode`, and `ifAvailable` for one that does not wait.
 */
export function hold(name, how = {}) {
  const controller = new AbortController();
  let release;
  const held = new Promise((resolve) => {
    release = resolve;
  });
  let over;
  const granted = new Promise((resolve, reject) => {
    // One that does not wait has no queue to leave, and takes no signal.
    const wait = how.ifAvailable ? how : { ...how, signal: controller.signal };
    const keep = (lock) => {
      resolve(lock !== null);
      return lock && held;
    };
    over = navigator.locks.request(name, wait, keep).catch(reject);
  });
  granted.catch(() => {}); // whoever gave up does not listen any more
  const leave = () => {
    controller.abort(); // out of the queue, where it still waits
    release();
    return over;
  };
  return { granted, release: leave };
}

// ---- images

/** Decode, turn upright, crop to the centre, scale: RGB bytes of width × height. */
export async function decode(source, width, height, crop) {
  const bitmap =
    source instanceof ImageBitmap
      ? source
      : await createImageBitmap(source, { imageOrientation: "from-image" });
  try {
    const scale = Math.min(bitmap.width / width, bitmap.height / height) * crop;
    const [w, h] = [width * scale, height * scale];
    const context = canvas(width, height);
    context.fillRect(0, 0, width, height);
    context.drawImage(
      bitmap,
      (bitmap.width - w) / 2,
      (bitmap.height - h) / 2,
      w,
      h,
      0,
      0,
      width,
      height,
    );
    return rgb(context.getImageData(0, 0, width, height).data);
  } finally {
    if (bitmap !== source) bitmap.close();
  }
}

/**
 * RGBA bytes without their alpha. Here, since numpy's strided copy takes three times as long; four
 * pixels at a time, which is three times as fast as byte by byte.
 */
export function rgb(rgba) {
  const pixels = new Uint32Array(rgba.buffer, rgba.byteOffset, rgba.length / 4);
  const words = new Uint32Array(Math.ceil(pixels.length / 4) * 3);
  for (let from = 0, to = 0; from < pixels.length; from += 4, to += 3) {
    const second = pixels[from + 1];
    const third = pixels[from + 2];
    words[to] = (pixels[from] & 0xffffff) | (second << 24);
    words[to + 1] = ((second >>> 8) & 0xffff) | (third << 16);
    words[to + 2] = ((third >>> 16) & 0xff) | (pixels[from + 3] << 8);
  }
  return new Uint8Array(words.buffer, 0, pixels.length * 3);
}

/** An image of RGBA bytes. */
export const imageOf = (rgba, width, height) =>
  new ImageData(new Uint8ClampedArray(rgba.buffer), width, height);

let shared = null;

function canvas(width, height) {
  if (shared?.canvas.width !== width || shared.canvas.height !== height) {
    shared = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    shared.imageSmoothingQuality = "high";
    shared.fillStyle = "white"; // what transparent parts lie on
  }
  return shared;
}
