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
    return (await this.#stored().catch(() => null)) ?? this.#fetched();
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
    const file = await folder.getFileHandle(this.#wanted.sha256, { create: true });
    const access = await file.createSyncAccessHandle();
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

  /** Read as a file: a handle for synchronous access needs a lock, which after a tab's end may never come. */
  async #stored() {
    const folder = await open(this.#folder);
    const handle = await folder.getFileHandle(this.#wanted.sha256);
    const file = await handle.getFile();
    const length = this.#wanted.bytes;
    if (file.size !== length + SEAL) return null;
    const bytes = new Uint8Array(await file.arrayBuffer());
    const sealed = seal(this.#wanted).every((byte, index) => byte === bytes[length + index]);
    return sealed ? bytes.subarray(0, length) : null;
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
  return root.getDirectoryHandle(name, { create });
}

function seal({ sha256, bytes }) {
  const sealed = new Uint8Array(SEAL);
  for (let index = 0; index < 32; index++) {
    sealed[index] = Number.parseInt(sha256.slice(2 * index, 2 * index + 2), 16);
  }
  new DataView(sealed.buffer).setFloat64(32, bytes);
  return sealed;
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
