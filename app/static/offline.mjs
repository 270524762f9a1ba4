/**
 * The service worker seen from the page: set up, complete or not, a newer one waiting.
 *
 * Emits `offline` {state: "none" | "working" | "yes" | "no" | "failed", reason} and
 * `page-update` {state: "waiting" | "elsewhere"}.
 */

import { keep, statusOf } from "./keeping.mjs";

/** Browsers look for a new worker when the page is opened; a tab left open looks this often. */
const LOOK_AGAIN_MS = 60 * 60 * 1000;

export class Offline {
  #signals;
  #kept;
  #registration = null;
  #reloading = false;
  #controlled = Boolean(navigator.serviceWorker?.controller);
  #onFirstControl;
  #checking = null;
  #again = false;

  /**
   * @param {import("./signals.mjs").Signals} signals
   * @param {import("./keeping.mjs").Kept} kept the files of engines that are to be kept
   * @param {() => void} onFirstControl called when the page is in a worker's charge for the first
   *   time, and all is kept
   */
  constructor(signals, kept, onFirstControl) {
    this.#signals = signals;
    this.#kept = kept;
    this.#onFirstControl = onFirstControl;
    if (!navigator.serviceWorker) {
      const reason = globalThis.isSecureContext
        ? "This browser (or a private window) offers no service worker, so the page cannot be kept."
        : "The page can only be kept when it is opened over https or on this machine.";
      this.#say("none", reason);
      return;
    }
    navigator.serviceWorker.addEventListener("controllerchange", () => this.#changed());
    navigator.serviceWorker.addEventListener("message", ({ data }) => {
      if (data?.type === "install-failed") this.#say("failed", data.reason);
    });
  }

  /** Files of an engine are in use. @param {string[]} files URLs */
  use(files) {
    if (this.#kept.use(files)) this.#news();
  }

  /** Files without which some installed model does not run. */
  need(files) {
    if (this.#kept.need(files)) this.#news();
  }

  /** Whether files can be used at once: nobody is in charge yet, or is known to keep them. */
  mayUse(files) {
    return !navigator.serviceWorker?.controller || this.#kept.has(files);
  }

  /**
   * Has files kept before they are used: what comes past a worker in charge lacks the headers that it
   * adds. Without one they come from the host.
   *
   * @param {string[]} files URLs @param {(received: number) => void} onProgress bytes so far
   * @throws {Error} when they can't be had
   */
  async ensure(files, onProgress) {
    if (this.mayUse(files)) return;
    const worker = navigator.serviceWorker.controller;
    const { missing = [] } = (await statusOf(worker, files)) ?? {};
    const lacking = files.filter((file) => missing.includes(file));
    if (lacking.length) await keep(worker, lacking, onProgress);
  }

  async register() {
    if (!navigator.serviceWorker || this.#registration) return;
    const url = new URL("sw.js", document.baseURI);
    const scope = new URL("./", document.baseURI);
    try {
      this.#registration = await navigator.serviceWorker.register(url, {
        scope,
        updateViaCache: "none",
      });
    } catch (error) {
      // Offline with a worker in place is no failure: it is what the worker is for.
      if (!this.#controlled) this.#say("failed", error.message);
      else await this.check();
      return;
    }
    const registration = this.#registration;
    for (const worker of [registration.installing, registration.waiting]) this.#watch(worker);
    registration.addEventListener("updatefound", () => this.#watch(registration.installing));
    if (registration.active) await this.check();
    this.#lookAgain();
  }

  /**
   * Asks the worker in charge whether everything is there; what it is to keep besides, it fetches.
   *
   * @returns {Promise<boolean>} whether all of it is
   */
  check() {
    this.#again = true;
    this.#checking ??= this.#checkAll().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  async #checkAll() {
    let complete = false;
    while (this.#again) {
      this.#again = false;
      complete = await this.#look();
    }
    return complete;
  }

  async #look() {
    const worker = navigator.serviceWorker?.controller ?? this.#registration?.active;
    const { files } = this.#kept;
    const answer = worker && (await statusOf(worker, files));
    if (!answer) return false;
    const { complete, missing } = answer;
    const wanted = this.#kept.wanted(missing);
    if (complete) {
      this.#kept.remember(files);
      this.#say("yes", "");
    } else if (wanted.length === 0) {
      this.#say("no", `${missing.length} of the page’s files are not kept.`);
    } else {
      try {
        await keep(worker, wanted);
        this.#again = true;
      } catch ({ message }) {
        this.#say("failed", message);
      }
    }
    return complete;
  }

  tidy() {
    navigator.serviceWorker?.controller?.postMessage({ type: "tidy" });
  }

  /** The person asked for the new version: it takes over, then this tab opens anew. */
  update() {
    this.#reloading = true;
    const waiting = this.#registration?.waiting;
    if (waiting) waiting.postMessage({ type: "skip-waiting" });
    else location.reload();
  }

  /** Before the first check there is a person who waits for an answer, and a worker that rests. */
  #news() {
    if (this.#registration) this.check();
  }

  #watch(worker) {
    if (!worker) return;
    let before = worker.state;
    const look = () => {
      const { state } = worker;
      if (state === "installing" && !this.#controlled) this.#say("working", "");
      if (state === "installed" && navigator.serviceWorker.controller) {
        this.#signals.emit("page-update", { state: "waiting" });
      }
      if (state === "activated") this.check();
      if (state === "redundant" && before === "installing") {
        const reason =
          "A file arrived incomplete, or the host changed it on the way. The next visit tries again.";
        this.#say("failed", reason);
      }
      before = state;
    };
    worker.addEventListener("statechange", look);
    look();
  }

  async #changed() {
    if (this.#reloading) {
      location.reload();
      return;
    }
    const before = this.#controlled;
    this.#controlled = true;
    if (before) this.#signals.emit("page-update", { state: "elsewhere" });
    if ((await this.check()) && !before) this.#onFirstControl();
  }

  #lookAgain() {
    let last = performance.now();
    document.addEventListener("visibilitychange", () => {
      const now = performance.now();
      if (document.hidden || now - last < LOOK_AGAIN_MS) return;
      last = now;
      // No network is no news.
      this.#registration.update().catch(() => {});
    });
  }

  #say(state, reason) {
    this.#signals.emit("offline", { state, reason });
  }
}
