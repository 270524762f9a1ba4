import { afterEnd, Rpc } from "../satchel/platform/browser/host.mjs";
import { Ahead } from "./ahead.mjs";

/** More threads than this bring little for models of this size, and take the device's breath. */
const MOST_THREADS = 4;
const UNFETCHED = "its file could not be fetched";
const ENDED = "the browser ended it, perhaps for want of memory";

/**
 * The engine as the page sees it: two workers, which can be started, stopped and started again,
 * and calls that wait until there is somebody to answer.
 */
export class Engine {
  #site;
  #about;
  #signals;
  #ahead;
  #rpc;
  #port;
  #workers = null;
  #since = 0;
  #ready = false;
  #pending = new Set();
  #resting = [];

  /** @param {object} site @param {{first: boolean, isolated: boolean}} about @param {import("./signals.mjs").Signals} signals */
  constructor(site, about, signals) {
    this.#site = site;
    this.#about = about;
    this.#signals = signals;
    this.#ahead = new Ahead(site, document.baseURI);
    this.#open();
  }

  get started() {
    return this.#workers !== null;
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
    const pair = new MessageChannel();
    const inference = this.#inference(pair.port1);
    const engine = this.#worker("engine_worker", (why) => this.#failed(why));
    // The engine replaces an inference worker that died: here it only has to hear of it.
    inference.addEventListener("error", ({ message }) => {
      engine.postMessage({ type: "inference-dead", message: message || UNFETCHED });
    });
    engine.addEventListener("message", ({ data }) => {
      if (data?.type === "end-inference") this.#workers?.inference?.terminate();
    });
    const init = { type: "init", site: this.#site, base: document.baseURI, ...this.#about };
    const ports = { ui: this.#port, inference: pair.port2 };
    engine.postMessage({ ...init, ...ports, threads: this.threads }, Object.values(ports));
    this.#workers = { inference, engine };
  }

  /** Ends both workers; whoever waits for an answer gets `reason` instead. */
  stop(reason) {
    if (this.#workers) for (const worker of Object.values(this.#workers)) worker.terminate();
    this.#workers = null;
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
      // The worker's clock began later than the page's, and it is the page that people wait for.
      else this.#signals.emit(name, name === "phase" ? this.#timed(value) : value, value?.part);
    };
    this.#port = port2;
  }

  /** Started here and not by the engine, so that it compiles its WASM while Python boots. */
  #inference(port) {
    const worker = this.#worker("inference_worker");
    const url = (name) => new URL(this.#site.urls[name], document.baseURI).href;
    const what = { ort: url("ort"), ort_wasm: url("ort_wasm"), threads: this.threads };
    const about = { first: this.#about.first, ahead: this.#ahead.get() };
    worker.postMessage({ type: "init", ...what, ...about, port }, [port]);
    return worker;
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
