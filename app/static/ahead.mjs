/**
 * What this site's last visit needed first, so that the next one has it made before Python asks.
 * A hint and no more: a wrong one costs a session that is thrown away.
 */
import { scopeOf } from "./place.mjs";

export class Ahead {
  #key;
  #database;

  /** @param {object} site @param {string} base what the site's URLs are relative to */
  constructor(site, base) {
    const scope = scopeOf(site, base);
    this.#key = `satchel:${scope}:ahead`;
    this.#database = `satchel:${scope}`;
  }

  /** For the inference worker of that engine, or null. */
  get() {
    try {
      const needs = JSON.parse(localStorage.getItem(this.#key));
      return needs && { ...needs, database: this.#database };
    } catch {
      return null; // no storage, or not ours
    }
  }

  /** @param {{engine: string, digest: string, options: object}} needs */
  set(needs) {
    try {
      localStorage.setItem(this.#key, JSON.stringify(needs));
    } catch {
      // Without storage the next visit is a little slower.
    }
  }
}
