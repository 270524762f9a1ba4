// Put before the script of a worker of ours, for `phase` figures only: notes when what is done, and
// tells it to whoever asks on the channel. Nothing in the product knows of it.
const noted = [];
const note = (what) => noted.push([what, performance.now()]);
const file = (url) => String(url).split("/").pop() || "page";

note("start");

/** Notes when a function's promise is settled. */
function watch(owner, name, describe) {
  const original = owner?.[name];
  if (!original) return;
  owner[name] = function (...given) {
    const promise = original.apply(this, given);
    promise.then(
      () => describe.call(this, ...given).then(note),
      () => {},
    );
    return promise;
  };
}

watch(WebAssembly, "compileStreaming", async (source) => `compiled ${file((await source).url)}`);
watch(WebAssembly, "instantiateStreaming", async (source) => `ran ${file((await source).url)}`);
watch(WebAssembly, "compile", async () => "compiled bytes");
watch(WebAssembly, "instantiate", async () => "instantiated");
watch(Blob.prototype, "arrayBuffer", async function () {
  return `read ${this.size} bytes`;
});
watch(globalThis, "createImageBitmap", async () => "decoded");

/** What passes between the workers: calls by their operation, answers by their number. */
for (const owner of [MessagePort.prototype, globalThis]) {
  const original = owner.postMessage;
  owner.postMessage = function (message, ...more) {
    if (message?.op) note(`asks ${message.id} ${message.op}`);
    else if (message?.event) note(`says ${message.event} ${message.value?.phase ?? ""}`.trim());
    else if (message?.id) note(`answers ${message.id}`);
    return original.call(this, message, ...more);
  };
}

const channel = new BroadcastChannel("bench");
channel.onmessage = ({ data }) => {
  if (data !== "timeline") return;
  for (const { name, responseEnd } of performance.getEntriesByType("resource")) {
    noted.push([`fetched ${file(name)}`, responseEnd]);
  }
  for (const { name, startTime } of performance.getEntriesByType("mark")) {
    noted.push([`mark ${name}`, startTime]);
  }
  const since = performance.timeOrigin;
  channel.postMessage({ worker: self.name, noted: noted.map(([what, ms]) => [what, since + ms]) });
};
