// onnxruntime-web behind a MessagePort: load, run, release. Runs as a worker of its own, or is
// imported into a page that has no worker to spare. Self-contained: the wheel carries this file.
//
// Calls are {id, op, args}; answers {id, value} or {id, error: {code, message, fatal}}.
// `fatal` says that the WASM instance can no longer be trusted and the worker must be replaced.

// The smallest model there is (y = Identity(x)): creating a session for it makes onnxruntime
// compile its WASM while Python still boots; there is no public call for that alone.
const IDENTITY =
  "CAg6NwoQCgF4EgF5IghJZGVudGl0eRIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEA0=";

const MEMORY =
  /bad_alloc|out of memory|OOM|Array buffer allocation failed|allocate memory|memory\.grow|failed to allocate/i;

const TYPED_ARRAYS = {
  float32: Float32Array,
  float16: globalThis.Float16Array ?? Uint16Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/**
 * Start the engine and answer calls on `port`.
 *
 * `ahead` is what will be needed first, as `onFirstLoad` in host.mjs told it on an earlier visit, and
 * the `database` that holds it: its session is made before anybody asks. It isn't run yet: a first
 * run compiles much, on all threads, and would take the cores that Python starts on.
 */
export function serve({ port, ort: url, ort_wasm: wasm, threads = 1, ahead = null }) {
  const sessions = new Map();
  let next = 0;
  const script = start(url, wasm, threads);
  // What isn't there, or fails, is nothing to report: whoever loads it gets the reason.
  let early = ahead && prepare().catch(() => null);
  const engine = proven();
  engine.catch(() => {}); // every call reports it

  const operations = {
    async describe() {
      const ort = await engine;
      const { versions, wasm } = ort.env;
      return { version: versions.web, threads: wasm.numThreads, sessions: sessions.size };
    },

    // blob: Blob of the model file; options: {level, config: {key: value}}; digest: the blob's
    // name in the store, where it has one
    load: async (blob, options, digest) =>
      (await claimed(options, digest)) ?? make(engine, blob.arrayBuffer(), options),

    // feeds: [[name, type, dims, bytes | strings], …]; answers [[dims, type, bytes | strings], …]
    async run(handle, feeds) {
      const ort = await engine;
      const session = sessions.get(handle);
      const inputs = {};
      for (const [name, type, dims, data] of feeds) {
        const Typed = TYPED_ARRAYS[type];
        inputs[name] = new ort.Tensor(type, Typed ? new Typed(data.buffer) : data, dims);
      }
      const results = await session.run(inputs);
      const value = session.outputNames.map((name) => {
        const tensor = results[name];
        const { dims, type, data } = tensor;
        tensor.dispose();
        return [
          dims,
          type,
          type === "string" ? data : new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
        ];
      });
      // A set: two outputs may share one buffer, and a buffer can be transferred only once.
      const transfer = new Set(
        value.filter(([, type]) => type !== "string").map(([, , bytes]) => bytes.buffer),
      );
      return { value, transfer: [...transfer] };
    },

    // The name of a lock that this worker holds as long as it lives (`pulse` in host.mjs, which
    // this file must not import).
    pulse: () =>
      new Promise((resolve) => {
        if (!navigator.locks) return resolve(null);
        const name = `satchel:pulse:${crypto.randomUUID()}`;
        navigator.locks.request(name, () => {
          resolve(name);
          return new Promise(() => {});
        });
      }),

    async release(handle) {
      const session = sessions.get(handle);
      sessions.delete(handle);
      await session?.release();
    },
  };

  /** The first session compiles the WASM; a model that was needed before is one as well as any. */
  async function proven() {
    const ort = await script;
    if (!(await early)) await tryOut(ort);
    return ort;
  }

  async function make(started, file, options) {
    const [ort, bytes] = await Promise.all([started, file]);
    const session = await ort.InferenceSession.create(new Uint8Array(bytes), {
      executionProviders: ["wasm"],
      graphOptimizationLevel: options.level,
      extra: { ...options.config }, // onnxruntime adds its own
    });
    const handle = ++next;
    sessions.set(handle, session);
    return { handle, inputs: session.inputMetadata, outputs: session.outputMetadata };
  }

  /** The session that was made ahead, if it is the one that is wanted; otherwise it goes. */
  async function claimed(options, digest) {
    const made = await early;
    early = null;
    if (!made) return null;
    const same =
      digest === ahead.digest && JSON.stringify(options) === JSON.stringify(ahead.options);
    performance.mark(same ? "session: made ahead" : "session: made in vain"); // for who measures
    if (!same) await operations.release(made.handle);
    return same ? made : null;
  }

  async function prepare() {
    const file = stored(ahead.database, ahead.digest).then((blob) => blob.arrayBuffer());
    return make(script, file, ahead.options);
  }

  port.onmessage = async ({ data: { id, op, args } }) => {
    try {
      const answer = await operations[op](...args);
      if (answer?.transfer) port.postMessage({ id, value: answer.value }, answer.transfer);
      else port.postMessage({ id, value: answer });
    } catch (error) {
      port.postMessage({ id, error: describe(error) });
    }
  };
}

const unavailable = (error) =>
  Object.assign(new Error(message(error)), { code: "unavailable", fatal: true });

async function start(url, wasm, threads) {
  try {
    const ort = globalThis.ort ?? (await import(url));
    // Without isolation onnxruntime would silently use one thread; say so ourselves.
    ort.env.wasm.numThreads =
      globalThis.crossOriginIsolated && globalThis.SharedArrayBuffer ? threads : 1;
    if (wasm) ort.env.wasm.wasmPaths = { wasm };
    return ort;
  } catch (error) {
    throw unavailable(error);
  }
}

/** Has the WASM compiled, and finds out whether it works at all. */
async function tryOut(ort) {
  try {
    const model = Uint8Array.from(atob(IDENTITY), (char) => char.charCodeAt(0));
    const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
    await session.release();
  } catch (error) {
    throw unavailable(error);
  }
}

/** A blob of the store's; null where the database or the blob is not there any more. */
function stored(name, digest) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onupgradeneeded = () => request.transaction.abort(); // it is gone, and not ours to make
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      const asked = database.transaction("blobs").objectStore("blobs").get(digest);
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
      database.close(); // once the transaction is over
    };
  });
}

function message(error) {
  if (typeof error === "number") return `C++ exception at ${error}`;
  return error?.message ?? String(error);
}

function describe(error) {
  const text = message(error);
  const status = Number(/ERROR_CODE: (\d+)/.exec(text)?.[1] ?? 0);
  if (error?.code === "unavailable") return { code: "unavailable", message: text, fatal: true };
  if (MEMORY.test(text)) return { code: "memory", message: text, fatal: true };
  // onnxruntime's own status codes (onnxruntime_c_api.h, OrtErrorCode) leave the instance sound.
  if (status) return { code: STATUS[status] ?? "run", message: text, fatal: false };
  const broken =
    error instanceof WebAssembly.RuntimeError ||
    error instanceof RangeError ||
    typeof error === "number" ||
    /Aborted/.test(text);
  return { code: broken ? "crash" : "run", message: text, fatal: broken };
}

const STATUS = { 2: "argument", 7: "format", 9: "unsupported", 10: "graph" };

globalThis.addEventListener?.("message", ({ data }) => {
  if (data?.type === "init" && data.port && "ort" in data) serve(data);
});
