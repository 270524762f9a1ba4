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

  /** The expanded bytes, whole and as the page expects them. */
  async read() {
    const stored = this.#stored().catch(() => null);
    return (await Promise.race([stored, silence(PATIENCE_MS)])) ?? this.#fetched();
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

  async #stored() {
    const folder = await open(this.#folder);
    const access = await accessTo(folder, this.#wanted.sha256, {}, { mode: "read-only" });
    try {
      const length = this.#wanted.bytes;
      if (access.getSize() !== length + SEAL) return null;
      const bytes = new Uint8Array(length + SEAL);
      if (access.read(bytes, { at: 0 }) !== bytes.length) return null;
      const sealed = seal(this.#wanted).every((byte, index) => byte === bytes[length + index]);
      return sealed ? bytes.subarray(0, length) : null;
    } finally {
      access.close();
    }
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
