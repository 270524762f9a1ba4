// The page's inference worker: the engine's own, with onnxruntime's WASM expanded on its way, and
// counted on a first visit. onnxruntime compiles it while it arrives.
import "../satchel/platform/browser/inference.mjs";
import { counted } from "./counted.mjs";
import { fetchExpanded } from "./expand.mjs";

addEventListener("message", function receive({ data }) {
  if (data.type !== "init") return;
  removeEventListener("message", receive);
  const original = globalThis.fetch;
  const { ort_wasm: wasm, port } = data;
  const get = data.first ? async () => withProgress(await original(wasm), port) : original;
  globalThis.fetch = (input, init) =>
    String(input?.url ?? input) === wasm ? fetchExpanded(wasm, get) : original(input, init);
});

function withProgress(response, port) {
  // What a host compressed is counted expanded, and its length says nothing then.
  const known = !response.headers.has("content-encoding");
  const total = (known && Number(response.headers.get("content-length"))) || 0;
  let received = 0;
  return counted(response, (bytes) => {
    received += bytes;
    port.postMessage({
      event: "download",
      value: { part: "Inference engine", received, total },
    });
  });
}
