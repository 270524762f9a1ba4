/**
 * Expands what travels as Zstandard: large parts, in files named `*.zst`, which so are small on a
 * host that compresses nothing too. Browsers' own DecompressionStream doesn't know the format.
 *
 * What arrives may be expanded already: our service worker keeps it so, and some hosts take the
 * name for a `Content-Encoding`. Media types are a matter of luck there, so the first bytes decide.
 * Nothing is verified here but that the stream is whole.
 */
import { Decompress } from "fzstd";

/** A header of what was expanded: the service worker's answers carry it, and are taken as they are. */
const MARK = "x-satchel-expanded";
const SUFFIX = ".zst";
const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const TYPES = { wasm: "application/wasm", zip: "application/zip" };
const OTHER_TYPE = "application/octet-stream";

/**
 * Fetches a file that may travel packed.
 *
 * @param {string} url @param {typeof globalThis.fetch} [get]
 * @returns {Promise<Response>} with the expanded file, under its own media type
 * @throws {Error} when the host doesn't have it
 */
export async function fetchExpanded(url, get = globalThis.fetch) {
  const response = await get(url);
  if (!response.ok) throw new Error(`${url} could not be fetched (HTTP ${response.status})`);
  return expanded(response, url);
}

/**
 * An answer with the expanded file in it; one that needs nothing is given back as it is.
 *
 * @param {Response} response @param {string} url what was asked for
 * @returns {Response}
 */
export function expanded(response, url) {
  const { pathname } = new URL(url);
  if (!pathname.endsWith(SUFFIX) || !response.body || isExpanded(response)) return response;
  const name = pathname.slice(0, -SUFFIX.length).split("/").pop();
  const type = TYPES[name.split(".").pop()] ?? OTHER_TYPE;
  const body = response.body.pipeThrough(new TransformStream(expander(name)));
  return new Response(body, { headers: { "content-type": type, [MARK]: "yes" } });
}

/** Whether an answer comes from where files are kept expanded: from the service worker. */
export const isExpanded = (response) => response.headers.has(MARK);

/** Expands a whole file at once. @param {Uint8Array} bytes @returns {Uint8Array} */
export function expandedNow(bytes, name) {
  const pieces = [];
  const { transform, flush } = expander(name);
  const controller = { enqueue: (piece) => pieces.push(piece) };
  transform(bytes, controller);
  flush(controller);
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** A transformer for TransformStream. */
function expander(name) {
  let head = []; // the first bytes, as long as there are too few of them to tell
  let push;
  const begin = (controller) => {
    const packed = MAGIC.every((byte, index) => head[index] === byte);
    const enqueue = (piece) => piece.length && controller.enqueue(piece);
    const stream = packed && new Decompress(enqueue);
    push = (chunk, final) => {
      try {
        if (stream) stream.push(chunk, final);
        else enqueue(chunk);
      } catch ({ message }) {
        throw new Error(`${name} arrived broken: ${message}`);
      }
    };
    push(Uint8Array.from(head), false);
    head = null;
  };
  return {
    transform(chunk, controller) {
      if (push) return push(chunk, false);
      const missing = MAGIC.length - head.length;
      head.push(...chunk.subarray(0, missing));
      if (head.length < MAGIC.length) return;
      begin(controller);
      push(chunk.subarray(missing), false);
    },
    flush(controller) {
      if (!push) begin(controller);
      push(new Uint8Array(0), true);
    },
  };
}
