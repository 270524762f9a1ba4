// Another arm: LiteRT.js in plain JavaScript, as its documentation has it. A classic worker, since
// its loader wants importScripts.
// Messages: {library, wasm, model, threads} once, then {rgba, size, top} → {predictions}.
let litert;
let model;

self.onmessage = async ({ data }) => {
  try {
    if (data.model) postMessage(await load(data));
    else postMessage({ predictions: await label(data) });
  } catch (error) {
    postMessage({ error: error.stack ?? String(error) });
  }
};

async function load({ library, wasm, model: url, threads }) {
  litert = await import(library);
  // Its loader would look for its files beside this one.
  self.Module = {
    locateFile: (file) => wasm + file,
    mainScriptUrlOrBlob: `${wasm}litert_wasm_threaded_internal.js`,
  };
  await litert.loadLiteRt(wasm, { threads: threads > 1 });
  const cpuOptions = { numThreads: threads };
  model = await litert.loadAndCompile(url, { accelerator: "wasm", cpuOptions });
  return { threads };
}

async function label({ rgba, size, top }) {
  const rgb = new Uint8Array(size * size * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    rgb[to++] = rgba[from];
    rgb[to++] = rgba[from + 1];
    rgb[to++] = rgba[from + 2];
  }
  const image = new litert.Tensor(rgb, [1, size, size, 3]);
  const [probabilities] = await model.run([image]);
  image.delete();
  const scores = probabilities.toTypedArray();
  probabilities.delete();
  return Array.from(scores.keys())
    .sort((a, b) => scores[b] - scores[a])
    .slice(0, top)
    .map((index) => ({ index, score: scores[index] }));
}
