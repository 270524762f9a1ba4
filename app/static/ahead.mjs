/**
 * What this site's last visit needed first, so that the next one has it made before Python asks.
 * A hint and no more: a wrong one costs a session that is thrown away.
 */
import { scopeOf } from "./place.mjs";

export class Ahead {
  #key;
  #database;
  #taken = null;

  /** @param {object} site @param {string} base what the site's URLs are relative to */
  constructor(site, base) {
    const scope = scopeOf(site, base);
    this.#key = `satchel:${scope}:ahead`;
    this.#database = `satchel:${scope}`;
  }

  /**
   * `get` for whoever makes it now. It is not stored again before it has been loaded: should it end
   * the page, the next start does without, and the engine takes a smaller variant (unfit.py).
   */
  take() {
    this.#taken = this.get();
    try {
      localStorage.removeItem(this.#key);
    } catch {
      // No storage, and nothing in it.
    }
    return this.#taken;
  }

  /** For the inference worker of that engine, or null. */
  get() {
    if (this.#taken) return this.#taken;
    try {
      const needs = JSON.parse(localStorage.getItem(this.#key));
      return needs && { ...needs, database: this.#database };
    } catch {
      return null; // no storage, or not ours
    }
  }

  /** @param {{engine: string, digest: string, options: object}} needs */
  set(needs) {
    this.#taken = null;
    try {
      localStorage.setItem(this.#key, JSON.stringify(needs));
    } catch {
      // Without storage the next visit is a little slower.
    }
  }
}
