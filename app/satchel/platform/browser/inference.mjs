// onnxruntime-web behind a MessagePort: load, run, release. Runs as a worker of its own, or is
// imported into a page that has no worker to spare. The wheel carries this file.
import { answer, broken, said, starved, unavailable } from "./answering.mjs";
import { threads as threadsHere } from "./features.mjs";

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

/** Start onnxruntime-web and answer calls on `port`; `ahead` is for `answer`. */
export function serve({ port, ort: url, ort_wasm: wasm, threads = 1, ahead = null }) {
  answer(
    { port, ahead },
    { started: start(url, wasm, threads), prove, describe, make, run, release, explain },
  );
}

async function start(url, wasm, threads) {
  try {
    const ort = globalThis.ort ?? (await import(url));
    // Without isolation onnxruntime would silently use one thread; say so ourselves.
    ort.env.wasm.numThreads = threadsHere() ? threads : 1;
    if (wasm) ort.env.wasm.wasmPaths = { wasm };
    return ort;
  } catch (error) {
    throw unavailable(error);
  }
}

/** Has the WASM compiled, and finds out whether it works at all. */
async function prove(ort) {
  try {
    const model = Uint8Array.from(atob(IDENTITY), (char) => char.charCodeAt(0));
    const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
    await session.release();
  } catch (error) {
    throw unavailable(error);
  }
}

const describe = ({ env }) => ({ version: env.versions.web, threads: env.wasm.numThreads });

// options: {level, config: {key: value}}
async function make(ort, bytes, options) {
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: options.level,
    extra: { ...options.config }, // onnxruntime adds its own
  });
  return { session, inputs: session.inputMetadata, outputs: session.outputMetadata };
}

async function run(ort, session, feeds) {
  const inputs = {};
  for (const [name, type, dims, data] of feeds) {
    const Typed = TYPED_ARRAYS[type];
    inputs[name] = new ort.Tensor(type, Typed ? new Typed(data.buffer) : data, dims);
  }
  const results = await session.run(inputs);
  return session.outputNames.map((name) => {
    const tensor = results[name];
    const { dims, type, data } = tensor;
    tensor.dispose();
    return [
      dims,
      type,
      type === "string" ? data : new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    ];
  });
}

const release = (session) => session.release();

function explain(error) {
  const message = said(error);
  if (MEMORY.test(message)) return starved(error);
  const status = Number(/ERROR_CODE: (\d+)/.exec(message)?.[1] ?? 0);
  // onnxruntime's own status codes (onnxruntime_c_api.h, OrtErrorCode) leave the instance sound.
  if (status) return { code: STATUS[status] ?? "run", message, fatal: false };
  const fatal = broken(error);
  return { code: fatal ? "crash" : "run", message, fatal };
}

const STATUS = { 2: "argument", 7: "format", 9: "unsupported", 10: "graph" };

globalThis.addEventListener?.("message", ({ data }) => {
  if (data?.type === "init" && data.port && "ort" in data) serve(data);
});
