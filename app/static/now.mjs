/** Fetching for Python's imports, which can't wait: it is Python that stands still meanwhile. */
import { expandedNow } from "./expand.mjs";

/**
 * Fetches a file at once; works in workers only.
 *
 * @param {string} url @returns {Uint8Array} expanded
 */
export function fetchNow(url) {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200) throw new Error(`${url} could not be fetched.`);
  return expandedNow(new Uint8Array(request.response), url);
}
