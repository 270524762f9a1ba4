import { afterEnd, Rpc } from "../satchel/platform/browser/host.mjs";
import { Ahead } from "./ahead.mjs";

/** More threads than this bring little for models of this size, and take the device's breath. */
const MOST_THREADS = 4;
const UNFETCHED = "its file could not be fetched";
const ENDED = "the browser ended it, perhaps for want of memory";

/** Milliseconds that a worker has to end by itself: one that is busy doesn't hear that it shall. */
const PATIENCE = 15_000;

/** Ends a worker, as `ending.mjs` does, or else at once. */
function end(worker) {
  worker.postMessage({ type: "end" });
  setTimeout(() => worker.terminate(), PATIENCE);
}

/**
 * The engine as the page sees it: two workers, which can be started, stopped and started again,
 * and calls that wait until there is somebody to answer.
 */
export class Engine {
  #site;
  #about;
  #engines;
  #offline;
  #signals;
  #ahead;
  #rpc;
  #port;
  #workers = null;
  #since = 0;
  #ready = false;
  #pending = new Set();
  #resting = [];
  #arrived = new Map();

  /**
   * @param {object} site
   * @param {{first: boolean, isolated: boolean}} about
   * @param {import("./engines.mjs").Engines} engines
   * @param {import("./offline.mjs").Offline} offline
   * @param {import("./signals.mjs").Signals} signals
   */
  constructor(site, about, engines, offline, signals) {
    this.#site = site;
    this.#about = about;
    this.#engines = engines;
    this.#offline = offline;
    this.#signals = signals;
    this.#ahead = new Ahead(site, document.baseURI);
    this.#open();
  }

  get started() {
    return this.#workers !== null;
  }

  /** The inference engine that is started before anybody asks for one. */
  get firstEngine() {
    return this.#engines.first(this.#ahead.get());
  }

  get #idles() {
    return this.#pending.size === 0;
  }

  /** Resolves when nobody has waited for an answer for `ms` milliseconds. */
  async calm(ms) {
    do {
      await this.idle();
      await new Promise((resolve) => setTimeout(resolve, ms));
    } while (!this.#idles);
  }

  /** Resolves when nobody waits for an answer. */
  idle() {
    if (this.#idles) return Promise.resolve();
    return new Promise((resolve) => this.#resting.push(resolve));
  }

  get threads() {
    if (!this.#about.isolated) return 1;
    return Math.max(1, Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1));
  }

  /** @param {number} [since] what "ready in" counts from: 0 is the moment the page was opened */
  start(since = performance.now()) {
    if (this.started) return;
    this.#since = since;
    this.#arrived.clear();
    const begun = this.#begin();
    // One that is ending is heard no more: its successor is at work.
    const engine = this.#worker(
      "engine_worker",
      (why) => this.#workers?.engine === engine && this.#failed(why),
    );
    // The engine replaces an inference worker that died: here it only has to hear of it.
    begun?.worker.addEventListener("error", ({ message }) => {
      engine.postMessage({ type: "inference-dead", message: message || UNFETCHED });
    });
    engine.addEventListener("message", ({ data }) => {
      if (data?.type === "end-inference") begun?.worker.terminate();
    });
    const init = { type: "init", site: this.#site, base: document.baseURI, ...this.#about };
    const { firstEngine, threads } = this;
    const inference = begun?.port;
    const ports = [this.#port, ...(begun ? [inference] : [])];
    engine.postMessage({ ...init, ui: this.#port, inference, firstEngine, threads }, ports);
    this.#workers = { inference: begun?.worker, engine };
  }

  /** Ends both workers; whoever waits for an answer gets `reason` instead. */
  stop(reason) {
    for (const worker of Object.values(this.#workers ?? {})) if (worker) end(worker);
    this.#workers = null;
    this.#rpc.port.close();
    const error = new Error(reason);
    error.name = "EngineStoppedError";
    for (const reject of this.#pending) reject(error);
    this.#pending.clear();
    this.#open();
  }

  call(op, args = [], options = {}) {
    return new Promise((resolve, reject) => {
      this.#pending.add(reject);
      this.#rpc
        .call(op, args, options)
        .then(resolve, reject)
        .finally(() => {
          this.#pending.delete(reject);
          if (this.#idles) for (const rest of this.#resting.splice(0)) rest();
        });
    });
  }

  /** A port of its own before there is a worker: what is called early waits in it. */
  #open() {
    const { port1, port2 } = new MessageChannel();
    this.#rpc = new Rpc(port1);
    const rpc = this.#rpc;
    rpc.onevent = (name, value) => {
      if (name === "pulse") afterEnd(value, () => rpc === this.#rpc && this.#failed(ENDED));
      else if (name === "needs") this.#ahead.set(value);
      else if (name === "wants-engine") this.#fetch(value);
      else if (name === "download") this.#tell(value);
      // The worker's clock began later than the page's, and it is the page that people wait for.
      else this.#signals.emit(name, name === "phase" ? this.#timed(value) : value, value?.part);
    };
    this.#port = port2;
  }

  /**
   * The first inference worker, started here and not by the engine, so that it compiles its WASM while
   * Python boots: {worker, port}. Null where its engine would have to be fetched past the service
   * worker: the engine worker asks for it, then.
   */
  #begin() {
    const name = this.firstEngine;
    const files = this.#engines.files(name);
    if (!this.#offline.mayUse(files)) return null;
    const worker = this.#worker("inference_worker");
    const { port1, port2 } = new MessageChannel();
    const ahead = this.#ahead.take();
    const about = { threads: this.threads, ahead: ahead?.engine === name ? ahead : null };
    const init = { type: "init", ...this.#engines.start(name), ...about, port: port1 };
    worker.postMessage(init, [port1]);
    this.#offline.use(files);
    return { worker, port: port2 };
  }

  /** The engine worker is about to start an inference engine, and hears when it may. */
  async #fetch(name) {
    const files = this.#engines.files(name);
    const { name: part, bytes: total } = this.#engines.part(name);
    const tell = (received) => this.#tell({ part, received: Math.min(received, total), total });
    const answer = { type: "engine-here", engine: name };
    try {
      await this.#offline.ensure(files, tell);
      this.#offline.use(files);
    } catch ({ message }) {
      answer.problem = message;
    }
    this.#workers?.engine.postMessage(answer);
  }

  /** How far a part is. One that comes again, for one more worker, is here already. */
  #tell({ part, received, total }) {
    if (received < (this.#arrived.get(part) ?? 0)) return;
    this.#arrived.set(part, received);
    this.#signals.emit("download", { part, received, total }, part);
  }

  #worker(name, onError) {
    const url = new URL(this.#site.urls[name], document.baseURI);
    const worker = new Worker(url, { type: "module", name: `satchel ${name}` });
    // A script that could not be fetched gives an event without a message.
    if (onError) worker.addEventListener("error", ({ message }) => onError(message || UNFETCHED));
    return worker;
  }

  #failed(why) {
    const what = this.#ready ? "The engine broke down" : "The engine could not be started";
    const text = `${what}: ${why}. Trying again starts it afresh.`;
    this.#signals.emit("phase", this.#timed({ phase: "failed", text }));
  }

  #timed(phase) {
    this.#ready = phase.phase === "ready";
    return { ...phase, ms: performance.now() - this.#since };
  }
}
