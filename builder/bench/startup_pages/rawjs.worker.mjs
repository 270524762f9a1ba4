// Plain JavaScript, as one would write it without Satchel: onnxruntime-web in a worker, the model
// from IndexedDB. What doesn't depend on each other is under way at the same time.
import { decode } from "../../../app/satchel/platform/browser/host.mjs";
import { model } from "./kept.mjs";

self.onmessage = ({ data }) =>
  label(data).then(
    (answer) => postMessage({ answer }),
    (error) => postMessage({ error }),
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
  const lines = (await names).split("\n");
  return Array.from(scores.keys())
    .sort((a, b) => scores[b] - scores[a])
    .slice(0, 5)
    .map((index) => ({ index, label: lines[index], score: scores[index] }))[0];
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
