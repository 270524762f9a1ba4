// The other arm: onnxruntime-web in plain JavaScript, as one would write it without Satchel.
// Messages: {ort, wasm, model, options, threads} once, then {rgba, size, top} → {predictions}.
let ort;
let session;

self.onmessage = async ({ data }) => {
  if (data.model) postMessage(await load(data));
  else postMessage({ predictions: await label(data) });
};

async function load({ ort: url, wasm, model, options, threads }) {
  ort = await import(url);
  ort.env.wasm.wasmPaths = { wasm };
  ort.env.wasm.numThreads = threads;
  const bytes = await (await fetch(model)).arrayBuffer();
  session = await ort.InferenceSession.create(new Uint8Array(bytes), {
    executionProviders: ["wasm"],
    graphOptimizationLevel: options.graph_optimization_level,
    extra: options.config,
  });
  return { threads: ort.env.wasm.numThreads };
}

async function label({ rgba, size, top }) {
  const rgb = new Uint8Array(size * size * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    rgb[to++] = rgba[from];
    rgb[to++] = rgba[from + 1];
    rgb[to++] = rgba[from + 2];
  }
  const image = new ort.Tensor("uint8", rgb, [1, size, size, 3]);
  const { probabilities } = await session.run({ image });
  const scores = probabilities.data;
  probabilities.dispose();
  return Array.from(scores.keys())
    .sort((a, b) => scores[b] - scores[a])
    .slice(0, top)
    .map((index) => ({ index, score: scores[index] }));
}
