// The product's own inference module, measured from inside its worker: calls go straight into it,
// so that a time holds what the product's worker does, and no message's way there and back.
//
// Messages: {op, args}; answers: {value} or {error: {code, message, fatal}}.

let call;
const files = new Map();
const inputs = new Map();
const sessions = new Map();

const operations = {
  /**
   * `module` exports `serve`, as inference.mjs does; `without` are features that this browser is
   * to be taken to lack; the rest is for `serve`.
   */
  async start({ module, without, ...options }) {
    // Whoever asks for one has the browser validate a few bytes that use it.
    if (without.includes("relaxed-simd")) WebAssembly.validate = () => false;
    const { serve } = await import(module);
    call = direct(serve, options);
    return call("describe");
  },

  /** Fetch a model once, so that making sessions of it waits for nothing. */
  async file({ name, url }) {
    files.set(name, await fetched(url));
  },

  /** Keep an input: tensors [name, type, dims, from, to], cut out of what lies at `url`. */
  async input({ key, url, tensors }) {
    inputs.set(key, cut(await fetched(url), tensors));
  },

  /** Make a session; answers milliseconds. */
  async create({ name, options, keep }) {
    const file = { arrayBuffer: async () => files.get(name) };
    const started = performance.now();
    const { handle, outputs } = await call("load", file, options);
    const ms = performance.now() - started;
    if (keep) sessions.set(name, { handle, names: outputs.map((output) => output.name) });
    else await call("release", handle);
    return ms;
  },

  async release({ name }) {
    await call("release", sessions.get(name).handle);
    sessions.delete(name);
  },

  /** Run a kept input some times in a row; answers milliseconds. */
  async turn({ name, key, count }) {
    const { handle } = sessions.get(name);
    const feeds = inputs.get(key);
    const times = [];
    for (let done = 0; done < count; done++) {
      const started = performance.now();
      await call("run", handle, feeds);
      times.push(performance.now() - started);
    }
    return times;
  },

  /** Run inputs that lie at `url` and put the outputs' bytes to `to`; answers what they are. */
  async outputs({ name, url, samples, to }) {
    const { handle, names } = sessions.get(name);
    const bytes = await fetched(url);
    const parts = [];
    const told = [];
    for (const tensors of samples) {
      const results = await call("run", handle, cut(bytes, tensors));
      told.push(results.map(([dims, type, data], k) => [names[k], type, dims, data.byteLength]));
      parts.push(...results.map(([, , data]) => data));
    }
    await fetch(to, { method: "POST", body: new Blob(parts) });
    return told;
  },
};

const fetched = async (url) => (await fetch(url)).arrayBuffer();

const cut = (bytes, tensors) =>
  tensors.map(([name, type, dims, from, to]) => {
    return [name, type, dims, new Uint8Array(bytes.slice(from, to))];
  });

/** Calls into `serve` without a channel. */
function direct(serve, options) {
  const waiting = new Map();
  let last = 0;
  const port = {
    postMessage({ id, value, error }) {
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      if (error) reject(error);
      else resolve(value);
    },
  };
  serve({ ...options, port });
  return (op, ...args) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      port.onmessage({ data: { id: last, op, args } });
    });
}

globalThis.onmessage = async ({ data: { op, args } }) => {
  try {
    postMessage({ value: await operations[op](args) });
  } catch ({ code = "run", message, fatal = false }) {
    postMessage({ error: { code, message, fatal } });
  }
};
