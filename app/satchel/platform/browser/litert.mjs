// LiteRT.js behind a MessagePort: load, run, release. Runs as a worker of its own. The wheel carries
// this file. Made for @litertjs/core 2.5: parts of it that it calls internal are used where the
// public call would leave memory behind.
import { answer, broken, said, starved, unavailable } from "./answering.mjs";
import { features } from "./features.mjs";

// What leaves the WASM instance in an unknown state. Other words for a want of memory (see
// litert_errors.py) come from checks that leave it sound.
const MEMORY = /bad_alloc|out of memory|OOM|allocation failed|cannot enlarge memory|memory\.grow/i;

// All that LiteRT.js takes and gives, by its own numbers (ElementType in its bindings).
const TYPES = {
  1: ["float32", Float32Array],
  2: ["int32", Int32Array],
  3: ["uint8", Uint8Array],
};
const TYPED_ARRAYS = Object.fromEntries(Object.values(TYPES));

// Names of the other numbers, for people (litert/c/litert_model_types.h).
const OTHERS =
  ",,,,int64,string,bool,int16,complex64,int8,float16,float64,complex128,uint64,resource,variant,uint32,uint16,int4".split(
    ",",
  );

/**
 * Start LiteRT.js and answer calls on `port`; `ahead` is for `answer`. `litert` is the URL of its
 * module, `litert_wasm` that of the folder with its WASM builds.
 */
export function serve({ port, litert: url, litert_wasm: folder, threads = 1, ahead = null }) {
  answer(
    { port, ahead },
    { started: start(url, folder, threads), prove, describe, make, run, release, explain },
  );
}

/**
 * {name: the build's, in its files' names; threads: as many as it can use of those wanted}.
 *
 * There is a third build, with relaxed SIMD and without threads. It is no faster than these (see
 * docs/decisions/0016), and a page that becomes isolated would fetch another one then.
 */
function build(wanted) {
  const here = new Set(features());
  if (!here.has("relaxed-simd") || !here.has("shared-memory"))
    return { name: "compat", threads: 1 };
  return { name: "threaded", threads: here.has("threads") ? wanted : 1 };
}

async function start(url, folder, wanted) {
  const { name, threads } = build(wanted);
  const script = new URL(`litert_wasm_${name}_internal.js`, folder).href;
  const lines = [];
  if (name === "threaded") globalThis.Worker = Thread;
  try {
    const [module, factory, mainScriptUrlOrBlob] = await Promise.all([
      import(url),
      factoryOf(script),
      threadScript(script),
    ]);
    // LiteRT.js takes both from its global scope, and would load the script by a call that module
    // workers do not have.
    globalThis.ModuleFactory = factory;
    globalThis.Module = {
      locateFile: (file) => new URL(file, folder).href,
      mainScriptUrlOrBlob,
      print: () => {},
      printErr: (line) => lines.push(line),
    };
    const loaded = lent(
      [globalThis, "importScripts", () => {}],
      // One worker for each thread beside this one, not for each core of the device.
      [navigator, "hardwareConcurrency", threads - 1],
      // It would ask for a graphics processor that is not used here, and warn where there is none.
      [navigator, "gpu", NO_GPU],
      () => module.loadLiteRt(script),
    );
    const { liteRtWasm: wasm } = await loaded;
    const options = {
      environment: module.getDefaultEnvironment(),
      accelerator: "wasm",
      cpuOptions: { numThreads: threads },
      gpuOptions: {},
      webNNOptions: {},
    };
    const about = { threads, build: name, version: version(module, url) };
    return { module, wasm, lines, options, about };
  } catch (error) {
    throw unavailable(error);
  }
}

const beginning = new Set();

/** A worker for a thread of WASM (browsers without have none); while it begins, `beginning` has a promise of its being there. */
class Thread extends (globalThis.Worker ?? Object) {
  constructor(...how) {
    super(...how);
    const there = new Promise((resolve, reject) => {
      // Emscripten sets `onmessage` and `onerror`; the first word is that the script runs.
      this.addEventListener("message", resolve, { once: true });
      this.addEventListener("error", ({ message }) => reject(lost(message)), { once: true });
    });
    beginning.add(there);
    there.then(
      () => beginning.delete(there),
      () => {}, // whoever waits for it hears of it
    );
  }
}

/** The error for a thread that never begins: nobody can wait for its end. */
const lost = (why) =>
  Object.assign(new Error(`A thread could not be started: ${why || "its script did not come"}`), {
    code: "crash",
    fatal: true,
  });

/**
 * Frees what ends threads. WASM waits for their end and lets nothing else happen here meanwhile:
 * for one whose worker is only on its way, it would wait for ever.
 */
async function freed(runner) {
  await Promise.all(beginning);
  runner.delete();
}

const NO_GPU = {
  requestAdapter: async () => ({
    limits: {},
    features: new Set(),
    requestDevice: async () => null,
  }),
};

/** Does `work` with other values for some properties. */
async function lent(...loans) {
  const work = loans.pop();
  for (const [owner, name, value] of loans)
    Object.defineProperty(owner, name, { value, configurable: true });
  try {
    return await work();
  } finally {
    for (const [owner, name] of loans) delete owner[name];
  }
}

/** The function that a script of Emscripten's gives to module loaders of old (AMD). */
async function factoryOf(script) {
  let factory;
  const define = Object.assign(
    (_, make) => {
      factory = make();
    },
    { amd: true },
  );
  await lent([globalThis, "define", define], () => import(script));
  return factory;
}

/** What workers for threads start from: not from another origin, so its script comes along. */
const threadScript = async (script) =>
  new URL(script).origin === location.origin ? script : (await fetch(script)).blob();

const version = (module, url) => module.version ?? /@(\d+\.\d+\.\d+)/.exec(url)?.[1] ?? "unknown";

/** Starting it has compiled its WASM and run some. */
const prove = async () => {};

const describe = ({ about }) => about;

async function make(library, bytes) {
  const { module, wasm, lines, options } = library;
  const address = wasm._malloc(bytes.length);
  if (!address) throw new Error("out of memory");
  const owned = [{ delete: () => wasm._free(address) }];
  const file = {
    delete() {
      for (const one of owned.splice(0)) one.delete();
    },
  };
  let runner = file; // whose deletion takes the file along
  const { liteRtEnvironment: place } = options.environment;
  try {
    wasm.HEAPU8.set(bytes, address);
    const model = await heard(lines, "format", () => wasm.loadModel(place, address, bytes.length));
    owned.unshift(model);
    const { inputs, outputs } = await heard(lines, "format", () => signature(model));
    const compile = () => wasm.compileModel(place, model, options);
    const compiled = await heard(lines, "unsupported", compile);
    const whole = Object.assign(file, { liteRtModel: model });
    runner = new module.CompiledModel(whole, compiled, options, () => {});
    const session = { runner, inputs, outputs };
    // What the operators are that LiteRT doesn't know, it finds out when it runs them.
    if (hasCustomOperators(bytes)) await tryOut(library, session);
    return { session, inputs, outputs };
  } catch (error) {
    if (!explain(error).fatal) await freed(runner);
    throw error;
  }
}

/** Whether a model has operators that aren't LiteRT's; it has been found to be sound. */
function hasCustomOperators(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const follow = (at) => at + view.getUint32(at, true);
  /** Where field `index` of a FlatBuffers table points, or 0. */
  const field = (table, index) => {
    const layout = table - view.getInt32(table, true);
    const at = 4 + 2 * index;
    const offset = at < view.getUint16(layout, true) ? view.getUint16(layout + at, true) : 0;
    return offset && follow(table + offset);
  };
  const codes = field(follow(0), 1); // Model.operator_codes in LiteRT's schema.fbs
  const count = codes && view.getUint32(codes, true);
  return Array.from({ length: count }, (_, k) => follow(codes + 4 + 4 * k)).some(
    (code) => field(code, 1), // OperatorCode.custom_code
  );
}

async function tryOut(library, session) {
  const feeds = session.inputs.map(({ name, type, shape }) => {
    const size = shape.reduce((product, length) => product * length, 1);
    return [name, type, shape, new TYPED_ARRAYS[type](size)];
  });
  try {
    await run(library, session, feeds);
  } catch (error) {
    throw Object.assign(error, { code: "unsupported" });
  }
}

/** The first signature of a model: {inputs, outputs}, each [{name, type, shape}, …]. */
function signature(model) {
  if (!model.getNumSignatures()) throw new Error("The model has no graph");
  const first = model.getSignature(0);
  try {
    const specs = (names, typeOf) => taken(names).map((name, k) => spec(name, typeOf(k)));
    return {
      inputs: specs(first.inputNames(), (k) => model.getInputTensorType(0, k)),
      outputs: specs(first.outputNames(), (k) => model.getOutputTensorType(0, k)),
    };
  } finally {
    first.delete();
  }
}

function spec(name, ranked) {
  const { value } = ranked.elementType();
  const layout = ranked.layout();
  const shape = taken(layout.dimensions());
  layout.delete();
  ranked.delete();
  const [type] = TYPES[value] ?? [];
  if (!type) throw refusal("dtype", `'${name}' is ${OTHERS[value] || `of type ${value}`}`);
  // The library can resize inputs, its JavaScript can't.
  if (shape.some((size) => size < 0)) throw refusal("shape", `'${name}' is [${shape.join(", ")}]`);
  return { name, type, shape };
}

const refusal = (code, message) => Object.assign(new Error(message), { code });

/** A vector of C++'s as an array; the vector is gone. */
function taken(vector) {
  const array = Array.from({ length: vector.size() }, (_, k) => vector.get(k));
  vector.delete();
  return array;
}

async function run({ module, lines }, { runner, inputs, outputs }, feeds) {
  const given = Object.fromEntries(feeds.map(([name, ...rest]) => [name, rest]));
  const tensors = [];
  let results = [];
  try {
    for (const { name } of inputs) {
      const [type, dims, data] = given[name];
      tensors.push(new module.Tensor(new TYPED_ARRAYS[type](data.buffer), dims));
    }
    results = await heard(lines, "run", () => runner.run(tensors));
    // A run that failed gives tensors all the same, with what was in memory: it only says so.
    const failed = lines.filter((line) => /^ERROR/.test(line));
    if (failed.length) throw refusal("run", failed.join(" "));
    return results.map((tensor, k) => {
      const { buffer } = tensor.toTypedArray();
      return [tensor.type.layout.dimensions, outputs[k].type, new Uint8Array(buffer)];
    });
  } finally {
    for (const tensor of [...tensors, ...results]) tensor.delete();
  }
}

const release = ({ runner }) => freed(runner);

/** Does `work`; where it fails, the error has a `code`, and says what LiteRT only printed. */
async function heard(lines, code, work) {
  lines.length = 0;
  try {
    return await work();
  } catch (error) {
    const printed = lines.filter((line) => line && !/^(INFO|WARNING)/.test(line));
    const message = [said(error), ...printed].join(" ");
    throw Object.assign(new Error(message), { code: error.code ?? code, fatal: broken(error) });
  }
}

function explain(error) {
  if (MEMORY.test(said(error))) return starved(error);
  const { code, fatal = broken(error) } = error;
  // A file on which reading it breaks down is at fault itself, whatever became of the instance.
  if (fatal && code !== "format") return { code: "crash", message: said(error), fatal };
  return { code: code ?? "run", message: said(error), fatal };
}

globalThis.addEventListener?.("message", ({ data }) => {
  if (data?.type === "init" && data.port && "litert" in data) serve(data);
});
