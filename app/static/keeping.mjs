/** What the service worker keeps of the inference engines, seen from the page. */
import { metered } from "./conditions.mjs";
import { scopeOf } from "./place.mjs";

const ANSWER_WITHIN_MS = 10_000;
/** A service worker that says nothing for so long was ended, or its network is. */
const STALL_MS = 60_000;

/**
 * Which files have to be kept: those in use, and those that some installed model needs. What is known
 * to be kept outlives the page, so that an opening page has nobody to ask.
 */
export class Kept {
  #key;
  #used = new Set();
  #needed = new Set();

  /** @param {object} site @param {string} base what the site's URLs are relative to */
  constructor(site, base) {
    this.#key = `satchel:${scopeOf(site, base)}:kept`;
  }

  /** URLs of all that is to be kept. */
  get files() {
    return [...new Set([...this.#used, ...this.#needed])];
  }

  /** They are in use. @returns {boolean} whether that is news */
  use(files) {
    const before = this.#used.size;
    for (const file of files) this.#used.add(file);
    return this.#used.size > before;
  }

  /** They, and no others, are what installed models need. @returns {boolean} whether that is news */
  need(files) {
    const before = this.#needed;
    this.#needed = new Set(files);
    return before.size !== this.#needed.size || files.some((file) => !before.has(file));
  }

  /** Those that may be fetched now: what nobody uses yet waits for a link that costs nothing. */
  wanted(missing) {
    const freely = navigator.onLine && !metered();
    return missing.filter((file) => this.#used.has(file) || (freely && this.#needed.has(file)));
  }

  /** Whether all of them are known to be kept. */
  has(files) {
    const known = this.#read();
    return files.every((file) => known.includes(file));
  }

  /** They are kept; earlier builds' files aren't of interest any more. */
  remember(files) {
    try {
      localStorage.setItem(this.#key, JSON.stringify(files));
    } catch {
      // Without storage the next visit asks.
    }
  }

  #read() {
    try {
      return JSON.parse(localStorage.getItem(this.#key)) ?? [];
    } catch {
      return []; // no storage, or not ours
    }
  }
}

/** What the worker has of the page and of some files: {build, complete, missing}; null: no answer. */
export function statusOf(worker, files) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ANSWER_WITHIN_MS, null);
    ask(worker, { type: "status", files }, (answer) => {
      clearTimeout(timer);
      resolve(answer);
      return true;
    });
  });
}

/**
 * Has the worker keep files.
 *
 * @param {ServiceWorker} worker @param {string[]} files
 * @param {(received: number) => void} [onProgress] bytes so far
 * @throws {Error} when it can't
 */
export function keep(worker, files, onProgress) {
  return new Promise((resolve, reject) => {
    let timer;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => reject(new Error("The service worker went silent")), STALL_MS);
    };
    wait();
    ask(worker, { type: "keep", files }, ({ received, problem }) => {
      wait();
      if (received !== undefined) return onProgress?.(received);
      clearTimeout(timer);
      if (problem) reject(new Error(problem));
      else resolve();
      return true;
    });
  });
}

/** Sends a message, and hears the answers until `heard` has had enough. */
function ask(worker, message, heard) {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => heard(data) && port1.close();
  worker.postMessage(message, [port2]);
}
