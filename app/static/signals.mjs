/**
 * What happened so far, for those who listen and for those who come late: the interface starts
 * after the workers do, and must not miss what they said meanwhile.
 */
export class Signals {
  #listeners = new Map();
  #last = new Map();

  /** @param {string} name @param {unknown} value @param {string} [key] one remembered value per key */
  emit(name, value, key = "") {
    if (!this.#last.has(name)) this.#last.set(name, new Map());
    this.#last.get(name).set(key, value);
    for (const listener of this.#listeners.get(name) ?? []) listener(value);
  }

  /** Calls `listener` with the last value (of every key), then with each new one. */
  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(listener);
    for (const value of this.#last.get(name)?.values() ?? []) listener(value);
  }
}
