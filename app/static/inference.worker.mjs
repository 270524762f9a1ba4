// The page's inference worker: each engine's own, with its WASM expanded on its way. What doesn't
// come from the service worker is counted, and verified. The engine compiles it while it arrives.
import "./ending.mjs";
import "../satchel/platform/browser/inference.mjs";
import "../satchel/platform/browser/litert.mjs";
import { counted } from "./counted.mjs";
import { expanded, isExpanded } from "./expand.mjs";
import { verified } from "./verified.mjs";

addEventListener("message", function receive({ data }) {
  if (data.type !== "init") return;
  removeEventListener("message", receive);
  const original = globalThis.fetch;
  const { part, port } = data;
  const { url: wasm, integrity } = data.wasm;
  const asked = wasm.replace(/\.zst$/, ""); // LiteRT.js knows no other name
  let cache = "default";
  let problem = ""; // what is wrong with the WASM
  const whole = () => {
    problem = "";
  };
  const get = async () => {
    problem = `${wasm} could not be fetched whole`;
    const response = await original(wasm, { cache });
    if (!response.ok) {
      problem = `${wasm} could not be fetched (HTTP ${response.status})`;
      throw new Error(problem);
    }
    if (isExpanded(response)) {
      whole(); // it was verified when it was stored
      return response;
    }
    // Emscripten asks again when it couldn't compile what came: the HTTP cache may hold that for long.
    cache = "reload";
    return expanded(verified(withProgress(response, part, port), integrity, whole), wasm);
  };
  globalThis.fetch = (input, init) => {
    const url = String(input?.url ?? input);
    return url === wasm || url === asked ? get() : original(input, init);
  };
  sayWhy(port, () => problem);
});

/** An engine that doesn't start for want of its WASM says many things, and not that. */
function sayWhy(port, problem) {
  const post = port.postMessage.bind(port);
  port.postMessage = (message, ...more) => {
    const { error } = message;
    const why = error?.code === "unavailable" && problem();
    post(why ? { ...message, error: { ...error, message: why } } : message, ...more);
  };
}

function withProgress(response, { name, bytes }, port) {
  let received = 0;
  const tell = (of) => {
    received += of;
    // What a host compressed is counted expanded.
    const value = { part: name, received: Math.min(received, bytes), total: bytes };
    port.postMessage({ event: "download", value });
  };
  return counted(response, tell, () => tell(bytes)); // the engine's scripts are here before
}
