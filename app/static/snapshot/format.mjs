// The format of a snapshot, as builder/snapshot/pack.py writes and describes it.

const MAGIC = 0x50414e53; // "SNAP", little-endian
const FORMAT = 2;
const START = 8;

/**
 * @typedef {{copy: (target: Uint8Array, at: number) => void}} Source an expanded snapshot; `copy`
 *   fills the target from that offset on
 */

/**
 * @param {Source} source
 * @returns {{header: object, head: Uint8Array, pages: number}} `pages`: where they begin
 */
export function parse(source) {
  const taken = (at, length) => {
    const bytes = new Uint8Array(length);
    source.copy(bytes, at);
    return bytes;
  };
  const start = new DataView(taken(0, START).buffer);
  if (start.getUint32(0, true) !== MAGIC) throw new Error("the snapshot is no snapshot");
  const length = start.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(taken(START, length)));
  if (header.format !== FORMAT) throw new Error(`the snapshot has format ${header.format}`);
  const head = taken(START + length, header.head);
  return { header, head, pages: START + length + header.head };
}

/**
 * Throws unless a snapshot was made from the same parts that this page runs.
 *
 * @param {Record<string, string>} found @param {Record<string, string>} expected
 */
export function checkParts(found, expected) {
  for (const [part, wanted] of Object.entries(expected)) {
    if (found[part] !== wanted) {
      throw new Error(`the snapshot was made with ${part} ${found[part]}, this page has ${wanted}`);
    }
  }
}

/**
 * Makes a heap what it was: fills the recorded pages, and empties the others, but for those that a
 * fresh instance has alike.
 *
 * @param {Uint8Array} heap at least as long as recorded; what lies beyond `used` is zero already
 * @param {number} used @param {object} header
 * @param {Source} source @param {number} pages where they begin in it
 */
export function fillHeap(heap, used, { page, runs, heap: size }, source, pages) {
  let from = pages;
  let empty = 0;
  for (const [first, count, stored] of runs) {
    const start = first * page;
    if (empty < Math.min(start, used)) heap.fill(0, empty, Math.min(start, used));
    if (stored) {
      const end = Math.min(start + count * page, size);
      source.copy(heap.subarray(start, end), from);
      from += end - start;
    }
    empty = start + count * page;
  }
  if (empty < used) heap.fill(0, empty, used);
}
