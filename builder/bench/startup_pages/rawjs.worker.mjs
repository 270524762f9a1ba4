// Plain JavaScript, as one would write it without Satchel: LiteRT.js in a worker, the model from
// IndexedDB. What doesn't depend on each other is under way at the same time.
import { decode } from "../../../app/satchel/platform/browser/host.mjs";
import { model } from "./kept.mjs";
import { beside } from "./litert.mjs";

self.onmessage = ({ data }) =>
  label(data).then(
    (answer) => postMessage({ answer }),
    (error) => postMessage({ error: error.stack ?? String(error) }),
  );

async function label({ urls, threads, size, crop, input }) {
  const started = start(urls, threads);
  const names = fetch(urls.labels).then((response) => response.text());
  const pixels = decode(input, size, size, crop);
  const [litert, network] = await started;
  const image = new litert.Tensor(await pixels, [1, size, size, 3]);
  const [probabilities] = await network.run([image]);
  image.delete();
  const scores = probabilities.toTypedArray();
  probabilities.delete();
  const lines = (await names).split("\n");
  return Array.from(scores.keys())
    .sort((a, b) => scores[b] - scores[a])
    .slice(0, 5)
    .map((index) => ({ index, label: lines[index], score: scores[index] }))[0];
}

async function start(urls, threads) {
  const bytes = model(urls.model);
  const litert = await import(urls.engine);
  beside(urls.wasm);
  await litert.loadLiteRt(urls.wasm, { threads: threads > 1 });
  const cpuOptions = { numThreads: threads };
  const network = await litert.loadAndCompile(await bytes, { accelerator: "wasm", cpuOptions });
  return [litert, network];
}
