// onnxruntime-web with nothing of Satchel around it: the second opinion on a case that failed.

let ort = null;
let instance = 0;

// A module under another URL is another instance, with a WASM memory of its own.
async function engine(url) {
  ort ??= await import(`${url}?instance=${++instance}`);
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "fatal";
  return ort;
}

const TYPED_ARRAYS = {
  float32: Float32Array,
  float16: globalThis.Float16Array,
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
 * Run a model once, or only load it when there are no feeds.
 * feeds: [[name, type, dims, bytes or strings], …]
 * Answers {outputs: [[type, dims, bytes or strings], …]} or {error: message}.
 */
export async function run(url, model, feeds) {
  const { InferenceSession, Tensor } = await engine(url);
  let session = null;
  try {
    session = await InferenceSession.create(model, { executionProviders: ["wasm"] });
    if (!feeds) return { outputs: [] };
    const inputs = {};
    for (const [name, type, dims, data] of feeds) {
      const Typed = TYPED_ARRAYS[type];
      inputs[name] = new Tensor(type, Typed ? new Typed(data.slice().buffer) : data, dims);
    }
    const results = await session.run(inputs);
    return {
      outputs: session.outputNames.map((name) => {
        const { type, dims, data } = results[name];
        if (type === "string") return [type, dims, data];
        return [type, dims, new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()];
      }),
    };
  } catch (error) {
    if (!(error instanceof Error) || error instanceof WebAssembly.RuntimeError) ort = null; // broken
    return { error: error?.message ?? String(error) };
  } finally {
    await session?.release().catch(() => {});
  }
}
