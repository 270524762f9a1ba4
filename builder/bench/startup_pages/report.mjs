// What every page of the measurement shares: its input, and telling what came of it.

/** What builder/bench/contenders.py wrote into the page. */
export const facts = JSON.parse(document.getElementById("bench").textContent);

/** A URL of the site, wherever this page lies in it. */
export const url = (relative) => new URL(relative, new URL(facts.root, document.baseURI)).href;

/** As Satchel's own page does it (app/static/link.mjs), so that all arms have the same number. */
export const threads = crossOriginIsolated
  ? Math.max(1, Math.min(4, navigator.hardwareConcurrency || 1))
  : 1;

/** The same photo for every arm; it comes with the page itself. */
export const photo = () =>
  new Blob([Uint8Array.from(atob(facts.photo), (char) => char.charCodeAt(0))], {
    type: "image/jpeg",
  });

/**
 * The answer is on the page: take the time, then report it. The clock began with the navigation.
 *
 * @param {object} answer @param {() => Promise<object>} [more] what takes time to find out
 */
export async function answered(answer, more = async () => ({})) {
  const ms = performance.now();
  try {
    const controlled = Boolean(navigator.serviceWorker?.controller);
    await post({ ms, answer, controlled, threads, ...(await more()) });
  } catch (error) {
    failed(error);
  }
}

export const failed = (error) => post({ error: error.stack ?? error.message ?? String(error) });

const post = (body) =>
  fetch(facts.reportsTo, {
    method: "POST",
    body: JSON.stringify({ page: location.pathname, ...body }),
  });
