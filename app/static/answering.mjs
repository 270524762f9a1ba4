/**
 * Does work with our own answers to some of its fetches: Pyodide fetches by itself what comes another
 * way here.
 *
 * @param {Record<string, (fetch: typeof globalThis.fetch) => Promise<Response>>} answers by URL
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 * @template T
 */
export async function answering(answers, work) {
  const original = globalThis.fetch;
  globalThis.fetch = (input, init) =>
    answers[String(input?.url ?? input)]?.(original) ?? original(input, init);
  try {
    return await work();
  } finally {
    globalThis.fetch = original;
  }
}
