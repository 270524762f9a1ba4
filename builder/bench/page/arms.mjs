// The arms, called the same way from the page: an input in, {answer} out once it is there.

/** A worker of this folder that answers one message at a time; `first` is what it starts with. */
async function worker(script, first) {
  const started = new Worker(new URL(script, import.meta.url), { type: "module" });
  const ask = (message) =>
    new Promise((resolve, reject) => {
      started.onmessage = ({ data }) =>
        data.error ? reject(new Error(data.error)) : resolve(data);
      started.onerror = (event) => reject(new Error(event.message));
      started.postMessage(message);
    });
  return { ask, started: await ask(first) };
}

/** Labels by plain JavaScript, with the same runtime and model as the site's. */
export async function rawLabel({ threads, model, options }) {
  const url = (relative) => new URL(relative, document.baseURI).href;
  const { ask, started } = await worker("./raw.worker.mjs", {
    ort: url("ort/ort.wasm.bundle.min.mjs"),
    wasm: url("ort/ort-wasm-simd-threaded.wasm"),
    model: url(`models/blobs/${model}`),
    options,
    threads,
  });
  return {
    threads: started.threads,
    run: ([rgba, size]) => ask({ rgba, size, top: 5 }).then(best),
  };
}

export const satchelLabel = ([rgba, size]) =>
  satchel.engine.call("classify", [rgba, size, 5]).then(best);

const best = ({ predictions }) => predictions[0].index;

/** Embeddings by transformers.js; its files lie in `folder`. */
export async function tunedEmbed({ threads, folder, model }) {
  const url = (name) => new URL(`${folder}${name}`, document.baseURI).href;
  const { ask, started } = await worker("./tjs.worker.mjs", {
    library: url("tjs_tuned.mjs"),
    wasm: url("ort/ort-wasm-simd-threaded.wasm"),
    models: url("tjs/"),
    model,
    threads,
  });
  return { threads: started.threads, run: (text) => ask({ text }).then(({ vector }) => vector) };
}

export const satchelEmbed = (text) =>
  satchel.engine.call("embed", [text]).then(({ vectors }) => vectors);

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

/** Take turns, each arm first in every other round: [{name: ms, "name.answer": …}, …]. */
export async function interleave(arms, inputs, pause) {
  const names = Object.keys(arms);
  const samples = [];
  for (const [round, make] of inputs.entries()) {
    const input = make();
    const sample = {};
    for (const name of round % 2 ? names.toReversed() : names) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      const started = performance.now();
      const answer = await arms[name](input);
      sample[name] = performance.now() - started;
      sample[`${name}.answer`] = typeof answer === "number" ? answer : Array.from(answer);
    }
    samples.push(sample);
  }
  return samples;
}
