/**
 * Where a snapshot's bytes come from: an expanded copy in the origin's private file system, which
 * reads fastest (23 MB: 25 ms; IndexedDB 42, Cache 64, gzip 150), or else the compressed file,
 * which the service worker keeps.
 *
 * The copy ends with a seal, written last: its digest and length. A copy without it was not
 * finished. What arrives compressed is hashed before use; a sealed copy isn't hashed again.
 */

import { expanded } from "../expand.mjs";

/** @typedef {{url: string, sha256: string, bytes: number}} Wanted the file, and what it expands to */

const SEAL = 40; // a SHA-256, and a length in eight bytes

/** What the file system hasn't answered by then is fetched. It answers within 50 ms. */
const PATIENCE_MS = 3000;

export class KeptSnapshot {
  #wanted;
  #folder;
  #fresh = null;

  /** @param {Wanted} wanted @param {string} scope names the site's own folder */
  constructor(wanted, scope) {
    this.#wanted = wanted;
    this.#folder = encodeURIComponent(`satchel:${scope}:snapshot`);
  }

  /**
   * The expanded bytes, whole and as the page expects them, to be copied from at will.
   *
   * @returns {Promise<{copy: (target: Uint8Array, at: number) => void, close: () => void}>}
   */
  async open() {
    const stored = this.#stored().catch(() => null);
    const found = await Promise.race([stored, silence(PATIENCE_MS)]);
    stored.then((late) => late !== found && late?.close());
    return found ?? inMemory(await this.#fetched());
  }

  /** Stores what was fetched, for the next start; forgets older ones. */
  async keep() {
    if (!this.#fresh) return;
    const bytes = this.#fresh;
    this.#fresh = null;
    const folder = await open(this.#folder, true);
    for await (const name of folder.keys()) {
      if (name !== this.#wanted.sha256) await folder.removeEntry(name);
    }
    const access = await accessTo(folder, this.#wanted.sha256, { create: true }, {});
    try {
      access.truncate(0);
      access.write(bytes, { at: 0 });
      access.flush();
      access.write(seal(this.#wanted), { at: bytes.length });
      access.flush();
    } finally {
      access.close();
    }
  }

  /** Forgets the stored copy, because it was no good. */
  async drop() {
    this.#fresh = null;
    const folder = await open(this.#folder);
    await folder.removeEntry(this.#wanted.sha256);
  }

  /** Null where there is no finished copy. The file stays open: its pages go straight into the heap. */
  async #stored() {
    const folder = await open(this.#folder);
    const access = await accessTo(folder, this.#wanted.sha256, {}, { mode: "read-only" });
    const copy = (target, at) => {
      if (access.read(target, { at }) !== target.length) throw new Error("the snapshot is cut off");
    };
    const { bytes } = this.#wanted;
    const end = new Uint8Array(SEAL);
    const whole = access.getSize() === bytes + SEAL;
    if (whole) copy(end, bytes);
    if (whole && seal(this.#wanted).every((byte, index) => byte === end[index])) {
      return { copy, close: () => access.close() };
    }
    access.close();
    return null;
  }

  async #fetched() {
    const { url, sha256, bytes: length } = this.#wanted;
    const response = await fetch(url);
    if (!response.ok)
      throw new Error(`the snapshot could not be fetched (HTTP ${response.status})`);
    const bytes = new Uint8Array(length);
    let filled = 0;
    for (const reader = expanded(response, url).body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      if (filled + value.length > length) throw new Error("the snapshot is longer than promised");
      bytes.set(value, filled);
      filled += value.length;
    }
    if (filled !== length) throw new Error(`the snapshot has ${filled} bytes, not ${length}`);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    if (hex(digest) !== sha256) throw new Error("the snapshot has another SHA-256 than promised");
    this.#fresh = bytes;
    return bytes;
  }
}

async function open(name, create = false) {
  const root = await navigator.storage.getDirectory();
  return ask(root, () => root.getDirectoryHandle(name, { create }));
}

async function accessTo(folder, name, how, access) {
  const file = await ask(folder, () => folder.getFileHandle(name, how));
  return ask(file, () => file.createSyncAccessHandle(access));
}

const asked = new Set();

/**
 * Holds on to a handle until it has answered: Chromium 156 forgets the question when the handle is
 * collected as garbage, and the promise never settles.
 */
async function ask(handle, question) {
  asked.add(handle);
  try {
    return await question();
  } finally {
    asked.delete(handle);
  }
}

const inMemory = (bytes) => ({
  copy: (target, at) => target.set(bytes.subarray(at, at + target.length)),
  close() {},
});

const silence = (ms) => new Promise((resolve) => setTimeout(resolve, ms, null));

function seal({ sha256, bytes }) {
  const sealed = new Uint8Array(SEAL);
  for (let index = 0; index < 32; index++) {
    sealed[index] = Number.parseInt(sha256.slice(2 * index, 2 * index + 2), 16);
  }
  new DataView(sealed.buffer).setFloat64(32, bytes);
  return sealed;
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
