// The same as rawjs.worker.mjs with onnxruntime-web, and the variant that Satchel falls back to.
import { decode } from "../../../app/satchel/platform/browser/host.mjs";
import { best, model } from "./kept.mjs";

self.onmessage = ({ data }) =>
  label(data).then(
    (answer) => postMessage({ answer }),
    (error) => postMessage({ error: error.stack ?? String(error) }),
  );

async function label({ urls, threads, size, crop, options, input }) {
  const started = start(urls, threads, options);
  const names = fetch(urls.labels).then((response) => response.text());
  const pixels = decode(input, size, size, crop);
  const [ort, session] = await started;
  const image = new ort.Tensor("uint8", await pixels, [1, size, size, 3]);
  const { probabilities } = await session.run({ image });
  const scores = probabilities.data;
  probabilities.dispose();
  return best(scores, await names);
}

async function start(urls, threads, options) {
  const bytes = model(urls.model);
  const ort = await import(urls.ort);
  ort.env.wasm.wasmPaths = { wasm: urls.wasm };
  ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(await bytes, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: options.graph_optimization_level,
    extra: options.config,
  });
  return [ort, session];
}
