// Python in the browser as it is written today: Pyodide and its NumPy, LiteRT.js called from
// Python, all in one worker. Whatever can be fetched beforehand is.
import { decode } from "../../../app/satchel/platform/browser/host.mjs";
import { model } from "./kept.mjs";
import { beside } from "./litert.mjs";

const PYTHON = `
import js
import numpy as np
from pyodide.ffi import to_js

def given(**options):
    return to_js(options, dict_converter=js.Object.fromEntries)

async def label(decode, settings):
    litert = js.litert
    await litert.loadLiteRt(settings.urls.wasm, given(threads=settings.threads > 1))
    options = given(accelerator="wasm", cpuOptions={"numThreads": settings.threads})
    network = await litert.loadAndCompile(await settings.model, options)
    size = settings.size
    rgb = await decode(settings.input, size, size, settings.crop)
    pixels = np.asarray(rgb.to_py()).reshape(1, size, size, 3)
    image = litert.Tensor.new(to_js(pixels.reshape(-1)), to_js(list(pixels.shape)))
    (result,) = await network.run(to_js([image]))
    scores = np.asarray(result.toTypedArray().to_py())
    best = np.argsort(scores)[::-1][:5]
    names = (await settings.labels).split("\\n")
    answer = [{"index": int(i), "label": names[i], "score": float(scores[i])} for i in best]
    return to_js(answer[0], dict_converter=js.Object.fromEntries)

label
`;

self.onmessage = ({ data }) =>
  label(data).then(
    (answer) => postMessage({ answer }),
    (error) => postMessage({ error: error.stack ?? String(error) }),
  );

async function label(settings) {
  const { urls } = settings;
  settings.model = model(urls.model);
  settings.labels = fetch(urls.labels).then((response) => response.text());
  const [pyodide, litert] = await Promise.all([
    import(`${urls.pyodide}pyodide.mjs`).then(({ loadPyodide }) =>
      loadPyodide({ indexURL: urls.pyodide, packages: ["numpy"] }),
    ),
    import(urls.engine),
  ]);
  beside(urls.wasm);
  globalThis.litert = litert;
  return pyodide.runPython(PYTHON)(decode, settings);
}
