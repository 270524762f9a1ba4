// Both arms, called the same way from the page: RGBA pixels in, the five best classes out.

/** Start the raw worker with the site's own runtime and model. */
export async function raw({ threads, model, options }) {
  const worker = new Worker(new URL("./raw.worker.mjs", import.meta.url), { type: "module" });
  const url = (name) => new URL(satchel.site.urls[name], document.baseURI).href;
  const ask = (message) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage(message);
    });
  const blob = new URL(`models/blobs/${model}`, document.baseURI).href;
  const started = await ask({
    ort: url("ort"),
    wasm: new URL("/ort/ort-wasm-simd-threaded.wasm", document.baseURI).href, // not packed
    model: blob,
    options,
    threads,
  });
  return { threads: started.threads, label: (rgba, size) => ask({ rgba, size, top: 5 }) };
}

export const satchelArm = {
  label: (rgba, size) => satchel.engine.call("classify", [rgba, size, 5]),
};

/** Pixels that look like a photo to the processor: reproducible noise. */
export function pixels(size, seed) {
  const rgba = new Uint8ClampedArray(size * size * 4);
  let state = seed + 12345;
  for (let i = 0; i < rgba.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    rgba[i] = i % 4 === 3 ? 255 : state >> 16;
  }
  return new Uint8Array(rgba.buffer);
}

/** Take turns, each arm first in every other round: [{name: ms}, …]. */
export async function interleave(arms, rounds, size, pause) {
  const names = Object.keys(arms);
  const samples = [];
  for (let round = 0; round < rounds; round++) {
    const rgba = pixels(size, round);
    const sample = {};
    for (const name of round % 2 ? names.toReversed() : names) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      const started = performance.now();
      const { predictions } = await arms[name].label(rgba, size);
      sample[name] = performance.now() - started;
      sample[`${name}.best`] = predictions[0].index;
    }
    samples.push(sample);
  }
  return samples;
}
