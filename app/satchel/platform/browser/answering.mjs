// The part of an inference worker that is the same for every engine: calls on a MessagePort,
// sessions and their handles, and the session that was made ahead.
// Self-contained: the wheel carries this file.
//
// Calls are {id, op, args}; answers {id, value} or {id, error: {code, message, fatal}}.
// `fatal` says that the WASM instance can no longer be trusted and the worker must be replaced.

/**
 * Answer calls on `port`.
 *
 * `ahead` is what will be needed first, as `onFirstLoad` in host.mjs told it on an earlier visit, and
 * the `database` that holds it: its session is made before anybody asks. It isn't run yet: a first
 * run compiles much, on all threads, and would take the cores that Python starts on.
 *
 * `engine` is:
 *   started             a promise of the library, ready for `make`
 *   prove(library)      find out whether it works at all
 *   describe(library)   {version, threads, …}
 *   make(library, bytes, options)   a promise of {session, inputs, outputs}
 *   run(library, session, feeds)    a promise of [[dims, type, bytes | strings], …]
 *   release(session)    give its memory back
 *   explain(error)      {code, message, fatal}
 */
export function answer({ port, ahead = null }, engine) {
  const sessions = new Map();
  let next = 0;
  // What isn't there, or fails, is nothing to report: whoever loads it gets the reason.
  let early = ahead && prepare().catch(() => null);
  const library = proven();
  library.catch(() => {}); // every call reports it

  const operations = {
    async describe() {
      return { ...engine.describe(await library), sessions: sessions.size };
    },

    // blob: Blob of the model file; options: the engine's own; digest: the blob's name in the
    // store, where it has one
    load: async (blob, options, digest) =>
      (await claimed(options, digest)) ?? make(library, blob.arrayBuffer(), options),

    // feeds: [[name, type, dims, bytes | strings], …]; answers [[dims, type, bytes | strings], …]
    async run(handle, feeds) {
      const value = await engine.run(await library, sessions.get(handle), feeds);
      // A set: two outputs may share one buffer, and a buffer can be transferred only once.
      const transfer = new Set(
        value.filter(([, type]) => type !== "string").map(([, , bytes]) => bytes.buffer),
      );
      return { value, transfer: [...transfer] };
    },

    // The name of a lock that this worker holds as long as it lives (`pulse` in host.mjs, which
    // this file must not import).
    pulse: () =>
      new Promise((resolve) => {
        if (!navigator.locks) return resolve(null);
        const name = `satchel:pulse:${crypto.randomUUID()}`;
        navigator.locks.request(name, () => {
          resolve(name);
          return new Promise(() => {});
        });
      }),

    async release(handle) {
      const session = sessions.get(handle);
      sessions.delete(handle);
      if (session) await engine.release(session);
    },
  };

  /** A model that was needed before proves as well as any that the library works. */
  async function proven() {
    const started = await engine.started;
    if (!(await early)) await engine.prove(started);
    return started;
  }

  async function make(started, file, options) {
    const [library, bytes] = await Promise.all([started, file]);
    const made = await engine.make(library, new Uint8Array(bytes), options);
    const handle = ++next;
    sessions.set(handle, made.session);
    return { handle, inputs: made.inputs, outputs: made.outputs };
  }

  /** The session that was made ahead, if it is the one that is wanted; otherwise it goes. */
  async function claimed(options, digest) {
    const made = await early;
    early = null;
    if (!made) return null;
    const same =
      digest === ahead.digest && JSON.stringify(options) === JSON.stringify(ahead.options);
    performance.mark(same ? "session: made ahead" : "session: made in vain"); // for who measures
    if (!same) await operations.release(made.handle);
    return same ? made : null;
  }

  async function prepare() {
    const file = stored(ahead.database, ahead.digest).then((blob) => blob.arrayBuffer());
    return make(engine.started, file, ahead.options);
  }

  port.onmessage = async ({ data: { id, op, args } }) => {
    try {
      const answer = await operations[op](...args);
      if (answer?.transfer) port.postMessage({ id, value: answer.value }, answer.transfer);
      else port.postMessage({ id, value: answer });
    } catch (error) {
      port.postMessage({ id, error: explained(error) });
    }
  };

  function explained(error) {
    const { code, message = said(error) } = error ?? {};
    if (code === "unavailable" || code === "memory") return { code, message, fatal: true };
    return engine.explain(error);
  }
}

/** An error for an engine that doesn't start. */
export const unavailable = (error) =>
  Object.assign(new Error(said(error)), { code: "unavailable", fatal: true });

/** An error for a want of memory, after which a WASM instance is in an unknown state. */
export const starved = (error) => ({ code: "memory", message: said(error), fatal: true });

/** What an error says; C++ throws numbers. */
export function said(error) {
  if (typeof error === "number") return `C++ exception at ${error}`;
  return error?.message ?? String(error);
}

/** Whether an error leaves a WASM instance in an unknown state. */
export const broken = (error) =>
  error instanceof WebAssembly.RuntimeError ||
  error instanceof RangeError ||
  typeof error === "number" ||
  /Aborted/.test(said(error));

/** A blob of the store's; null where the database or the blob is not there any more. */
function stored(name, digest) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onupgradeneeded = () => request.transaction.abort(); // it is gone, and not ours to make
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      const asked = database.transaction("blobs").objectStore("blobs").get(digest);
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
      database.close(); // once the transaction is over
    };
  });
}
