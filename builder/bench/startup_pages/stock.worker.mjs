// Python in the browser as it is written today: Pyodide and its NumPy, onnxruntime-web called from
// Python, all in one worker. Whatever can be fetched beforehand is.
import { decode } from "../../../app/satchel/platform/browser/host.mjs";
import { model } from "./kept.mjs";

const PYTHON = `
import js
import numpy as np
from pyodide.ffi import to_js

async def label(decode, settings):
    js.ort.env.wasm.wasmPaths = to_js({"wasm": settings.urls.wasm}, dict_converter=js.Object.fromEntries)
    js.ort.env.wasm.numThreads = settings.threads
    options = js.Object.new()
    options.executionProviders = to_js(["wasm"])
    options.graphOptimizationLevel = settings.options.graph_optimization_level
    options.extra = settings.options.config
    session = await js.ort.InferenceSession.create(await settings.model, options)
    size = settings.size
    rgb = await decode(settings.input, size, size, settings.crop)
    pixels = np.asarray(rgb.to_py()).reshape(1, size, size, 3)
    feeds = js.Object.new()
    feeds.image = js.ort.Tensor.new("uint8", to_js(pixels.reshape(-1)), to_js(list(pixels.shape)))
    results = await session.run(feeds)
    scores = np.asarray(results.probabilities.data.to_py())
    best = np.argsort(scores)[::-1][:5]
    names = (await settings.labels).split("\\n")
    answer = [{"index": int(i), "label": names[i], "score": float(scores[i])} for i in best]
    return to_js(answer[0], dict_converter=js.Object.fromEntries)

label
`;

self.onmessage = ({ data }) =>
  label(data).then(
    (answer) => postMessage({ answer }),
    (error) => postMessage({ error }),
  );

async function label(settings) {
  const { urls } = settings;
  settings.model = model(urls.model);
  settings.labels = fetch(urls.labels).then((response) => response.text());
  const [pyodide, ort] = await Promise.all([
    import(`${urls.pyodide}pyodide.mjs`).then(({ loadPyodide }) =>
      loadPyodide({ indexURL: urls.pyodide, packages: ["numpy"] }),
    ),
    import(urls.ort),
  ]);
  globalThis.ort = ort;
  return pyodide.runPython(PYTHON)(decode, settings);
}
