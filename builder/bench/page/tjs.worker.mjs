// transformers.js with onnxruntime-web's plain build and models that lie beside the page.
// Messages: {library, wasm, models, model, threads} once, then {text} → {vector}.
let extract;

self.onmessage = async ({ data }) => {
  try {
    if (data.library) postMessage(await load(data));
    else postMessage({ vector: await embed(data.text) });
  } catch (error) {
    postMessage({ error: error.stack ?? String(error) });
  }
};

async function load({ library, wasm, models, model, threads }) {
  const { env, pipeline } = await import(library);
  env.backends.onnx.wasm.wasmPaths = { wasm };
  env.backends.onnx.wasm.numThreads = threads;
  env.allowLocalModels = true;
  env.allowRemoteModels = false;
  env.localModelPath = new URL(models).pathname; // it looks for some files only at paths
  extract = await pipeline("feature-extraction", model, { dtype: "q8" });
  return { threads: env.backends.onnx.wasm.numThreads };
}

async function embed(text) {
  const { data } = await extract(text, { pooling: "mean", normalize: true });
  return data;
}
