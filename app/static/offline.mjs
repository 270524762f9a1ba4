/**
 * The service worker seen from the page: set up, complete or not, a newer one waiting.
 *
 * Emits `offline` {state: "none" | "working" | "yes" | "no" | "failed", reason} and
 * `page-update` {state: "waiting" | "elsewhere"}.
 */

/** Browsers look for a new worker when the page is opened; a tab left open looks this often. */
const LOOK_AGAIN_MS = 60 * 60 * 1000;
const ANSWER_WITHIN_MS = 10_000;

export class Offline {
  #signals;
  #registration = null;
  #reloading = false;
  #controlled = Boolean(navigator.serviceWorker?.controller);
  #onFirstControl;

  /** @param {import("./signals.mjs").Signals} signals @param {() => void} onFirstControl */
  constructor(signals, onFirstControl) {
    this.#signals = signals;
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

  /** Asks the worker in charge whether everything that it promised to keep is there. */
  async check() {
    const worker = navigator.serviceWorker?.controller ?? this.#registration?.active;
    if (!worker) return;
    const answer = await ask(worker, { type: "status" });
    if (answer?.complete) this.#say("yes", "");
    else if (answer) this.#say("no", `${answer.missing.length} of the page’s files are not kept.`);
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

  #changed() {
    if (this.#reloading) {
      location.reload();
      return;
    }
    if (this.#controlled) {
      this.#signals.emit("page-update", { state: "elsewhere" });
    } else {
      this.#controlled = true;
      this.#onFirstControl();
    }
    this.check();
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

function ask(worker, message) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), ANSWER_WITHIN_MS);
    port1.onmessage = ({ data }) => {
      clearTimeout(timer);
      port1.close();
      resolve(data);
    };
    worker.postMessage(message, [port2]);
  });
}
