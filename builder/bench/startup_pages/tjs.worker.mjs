// transformers.js in a worker, as its documentation has it. By default it asks a CDN for the engine
// and the Hub for the model, and keeps both in the Cache API: here it does the same, but its hosts
// are this one. Tuned, it has the plain build of the engine, and models that lie beside the page.

self.onmessage = ({ data }) =>
  embed(data).then(
    (answer) => postMessage({ answer }),
    (error) => postMessage({ error: error.stack ?? String(error) }),
  );

async function embed({ urls, tuned, threads, model, input }) {
  const { env, pipeline } = await import(urls.library);
  (tuned ? tune : move)(env, urls);
  env.backends.onnx.wasm.numThreads = threads;
  const extract = await pipeline("feature-extraction", model, { dtype: "q8" });
  const { data } = await extract(input, { pooling: "mean", normalize: true });
  return Array.from(data);
}

function move(env, { models, wasm, factory }) {
  env.backends.onnx.wasm.wasmPaths = { mjs: factory, wasm };
  env.remoteHost = models;
  env.remotePathTemplate = "{model}/";
}

function tune(env, { models, wasm }) {
  env.backends.onnx.wasm.wasmPaths = { wasm };
  env.allowLocalModels = true;
  env.allowRemoteModels = false;
  env.localModelPath = new URL(models).pathname; // it looks for some files only at paths
}
