// The format of a snapshot, as builder/snapshot/pack.py writes and describes it.

const MAGIC = 0x50414e53; // "SNAP", little-endian
const FORMAT = 2;
const START = 8;

/**
 * @param {Uint8Array} bytes an expanded snapshot
 * @returns {{header: object, head: Uint8Array, pages: Uint8Array}}
 */
export function parse(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < START || view.getUint32(0, true) !== MAGIC) {
    throw new Error("the snapshot is no snapshot");
  }
  const end = START + view.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(START, end)));
  if (header.format !== FORMAT) throw new Error(`the snapshot has format ${header.format}`);
  const pages = end + header.head;
  return { header, head: bytes.subarray(end, pages), pages: bytes.subarray(pages) };
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
 * @param {number} used
 */
export function fillHeap(heap, used, { page, runs }, pages) {
  let from = 0;
  let empty = 0;
  for (const [first, count, stored] of runs) {
    const start = first * page;
    if (empty < Math.min(start, used)) heap.fill(0, empty, Math.min(start, used));
    if (stored) {
      const length = Math.min(count * page, pages.length - from);
      heap.set(pages.subarray(from, from + length), start);
      from += length;
    }
    empty = start + count * page;
  }
  if (empty < used) heap.fill(0, empty, used);
}
