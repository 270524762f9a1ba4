// The arms, called the same way from the page: an input in, its answer out once it is there.

/** A worker of this folder that answers one message at a time; `first` is what it starts with. */
async function worker(script, first, type = "module") {
  const started = new Worker(new URL(script, import.meta.url), { type });
  const ask = (message) =>
    new Promise((resolve, reject) => {
      started.onmessage = ({ data }) =>
        data.error ? reject(new Error(data.error)) : resolve(data);
      started.onerror = (event) => reject(new Error(event.message));
      started.postMessage(message);
    });
  return { ask, started: await ask(first) };
}

const best = ({ predictions }) => predictions[0].index;
const url = (relative) => new URL(relative, document.baseURI).href;

/** By kind: what labels pixels of `size`, however many threads it runs on. */
const LABELLERS = {
  async satchel({ variant, size, threads }) {
    const run = (rgba) => satchel.engine.call("classify", [rgba, size, 5, variant]).then(best);
    return { threads, run };
  },

  /** onnxruntime-web in plain JavaScript, the same runtime as the site's. */
  async onnxruntime({ threads, model, options, size }) {
    const { ask, started } = await worker("./raw.worker.mjs", {
      ort: url("ort/ort.wasm.bundle.min.mjs"),
      wasm: url("ort/ort-wasm-simd-threaded.wasm"),
      model: url(model),
      options,
      threads,
    });
    const run = (rgba) => ask({ rgba, size, top: 5 }).then(best);
    return { threads: started.threads, run };
  },

  /** LiteRT.js in plain JavaScript, the same runtime as the site's. */
  async litert({ threads, model, size }) {
    const first = { library: url("litert/litert.mjs"), wasm: url("litert-wasm/"), threads };
    const script = "./raw.litert.worker.js";
    const { ask, started } = await worker(script, { ...first, model: url(model) }, "classic");
    const run = (rgba) => ask({ rgba, size, top: 5 }).then(best);
    return { threads: started.threads, run };
  },
};

/** Arms that label, by name: {kind, size, threads, …} each. */
export async function labellers(described) {
  const arms = {};
  for (const [name, arm] of Object.entries(described)) {
    const { threads, run } = await LABELLERS[arm.kind](arm);
    if (threads !== arm.threads) throw new Error(`${name} runs on ${threads} threads.`);
    arms[name] = { input: (round) => pixels(arm.size, round), run };
  }
  return arms;
}

/** Embeddings by transformers.js; its files lie in `folder`. */
export async function tunedEmbed({ threads, folder, model }) {
  const { ask, started } = await worker("./tjs.worker.mjs", {
    library: url(`${folder}tjs_tuned.mjs`),
    wasm: url(`${folder}ort/ort-wasm-simd-threaded.wasm`),
    models: url(`${folder}tjs/`),
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

/**
 * Take turns, each arm first in every other round: [{name: ms, "name.answer": …}, …]. In a turn an
 * arm answers several times, one after the other, of which the median counts.
 */
export async function interleave(arms, { rounds, pause, times }) {
  const names = Object.keys(arms);
  const samples = [];
  for (let round = 0; round < rounds; round++) {
    const sample = {};
    for (const name of round % 2 ? names.toReversed() : names) {
      const input = arms[name].input(round);
      await new Promise((resolve) => setTimeout(resolve, pause));
      const turn = [];
      for (let time = 0; time < times; time++) {
        const started = performance.now();
        const answer = await arms[name].run(input);
        turn.push(performance.now() - started);
        sample[`${name}.answer`] = typeof answer === "number" ? answer : Array.from(answer);
      }
      sample[name] = median(turn);
    }
    samples.push(sample);
  }
  return samples;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
