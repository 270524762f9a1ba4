/**
 * Ends this worker when the page says so, but not while WASM is being compiled in it: Chromium's
 * whole page breaks down now and then where a worker is terminated meanwhile (seen in 156, about
 * once in twenty times). What still arrives is given up, so that it doesn't take long; fetches with a
 * signal of their own are left to whoever has it.
 *
 * To be imported first: what others fetch and compile goes through here.
 */
const compiling = new Set();
const downloads = new AbortController();

for (const name of ["compile", "compileStreaming", "instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[name];
  WebAssembly[name] = (...given) => {
    const compiled = original.apply(WebAssembly, given);
    compiling.add(compiled);
    const over = () => compiling.delete(compiled);
    compiled.then(over, over);
    return compiled;
  };
}

const { fetch: original } = globalThis;
globalThis.fetch = (input, init) => original(input, { signal: downloads.signal, ...init });

addEventListener("message", async ({ data }) => {
  if (data?.type !== "end") return;
  downloads.abort();
  while (compiling.size) await Promise.allSettled(compiling);
  close();
});
