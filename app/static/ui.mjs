/**
 * The browser's side of the interface: what MicroPython cannot or should not do itself.
 *
 * A JavaScript exception thrown straight into MicroPython can't be caught there, so nothing here
 * throws: what may fail answers with a promise of {ok: true, value} or {ok: false, name, message}.
 */
import { metered as meteredNow, tellConditions as tell } from "./conditions.mjs";

const { satchel } = globalThis;

export const { site, first, isolated, metered, engine } = satchel;
export const { start, stop, update, parts, on: subscribe } = satchel;
export const takeFiles = (taker) => satchel.early.take(taker);

const settle = (promise) =>
  promise.then(
    (value) => ({ ok: true, value }),
    (error) => ({ ok: false, name: error.name, message: error.message }),
  );

// ---- the engine

/** Plain facts, with null for what is not said: MicroPython takes undefined for something. */
export const plain = (value) => JSON.parse(JSON.stringify(value ?? null, (_, one) => one ?? null));

export const call = (op, ...args) => settle(engine.call(op, args).then(plain));

/** Resolves when nobody waits for an answer of the engine's. */
export const idle = () => engine.idle();

/** The engine rests when nobody has asked it anything for so long. */
const CALM_MS = 1000;

/** Calls `work` each time that the engine has been started and rests. */
export function onRest(work) {
  subscribe("phase", async ({ phase }) => {
    if (phase !== "ready") return;
    await engine.calm(CALM_MS);
    work();
  });
}

/** A call that reports progress and can be cancelled: {result, cancel}. */
export function task(onProgress, op, ...args) {
  const abort = new AbortController();
  const options = { signal: abort.signal, onProgress: onProgress ?? undefined };
  return { result: settle(engine.call(op, args, options)), cancel: () => abort.abort() };
}

/** Embeds the lines of a text: {result, cancel}. */
export const embed = (lines) => task(null, "embed", lines.split("\n"));

/** How alike one of an answer's texts is to each of them: cosines, −1 to 1. */
export function likeness({ vectors, shape }, chosen) {
  const [count, width] = shape;
  const one = vectors.subarray(chosen * width, (chosen + 1) * width);
  return Array.from({ length: count }, (_, k) =>
    one.reduce((sum, value, i) => sum + value * vectors[k * width + i], 0),
  );
}

/** The outputs of the last run as JSON, saved as a file or copied; they are too long for Python here. */
export const saveComputed = (name) =>
  settle(
    engine.call("computed").then((json) => save(name, "application/json", indented(json)) ?? true),
  );
export const copyComputed = () =>
  settle(engine.call("computed").then((json) => navigator.clipboard.writeText(indented(json))));

/** Puts a file that was dropped where one can be chosen. */
export function putFile(input, file) {
  const transfer = new DataTransfer();
  transfer.items.add(file);
  input.files = transfer.files;
}

/** Keep the browser from doing what it does by itself. */
export const prevent = (event) => event.preventDefault();

/** Asks the browser to keep what is stored; true, false, or null where it never answers. */
export async function persist() {
  const silence = new Promise((resolve) => setTimeout(resolve, 3000, null));
  try {
    return await Promise.race([navigator.storage.persist(), silence]);
  } catch {
    return null;
  }
}

// ---- models and their updates

export { meteredNow };

/** Some models' engines have to be here, too. @param {{variant: {engine: string} | null}[]} models */
export const needEngines = (models) =>
  satchel.needEngines(models.flatMap(({ variant }) => variant?.engine ?? []));

export const tellConditions = () => tell(onRest, (now) => call("conditions", now));

/** What is told of a model, but for the bytes that keep coming. */
export const shape = (model) =>
  JSON.stringify(model, (key, value) => (key === "received" ? null : value));

export const online = () => navigator.onLine;

/** How full the storage is. Its figures are too large for MicroPython. */
export function fillMeter(meter, { used, quota }) {
  meter.max = quota;
  meter.value = used;
}

/** What is left of the storage, in megabytes. */
export const megabytesLeft = ({ used, quota }) => Math.max(0, quota - used) / 1e6;

/** True the first time that something is asked of the person, on this device. */
export function once(question) {
  const key = `satchel:${new URL("./", document.baseURI).pathname}:asked:${question}`;
  try {
    if (localStorage.getItem(key)) return false;
    localStorage.setItem(key, "yes");
  } catch {
    // Without a memory of it, it is asked again at the next visit.
  }
  return true;
}

// ---- time

const UNITS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];
const MINUTE_MS = 60_000;

/** How long ago a moment was: "2 hours ago", "yesterday". */
export function ago(moment) {
  const seconds = (Date.now() - Date.parse(moment)) / 1000;
  const found = UNITS.find(([, length]) => seconds >= length);
  if (!found) return "just now";
  const words = new Intl.RelativeTimeFormat("en-GB", { numeric: "auto" });
  return words.format(-Math.floor(seconds / found[1]), found[0]);
}

/** A moment as a date and a time. */
export const date = (moment) =>
  new Date(moment).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** Keeps the times in an element right while they grow old. */
export const keepTimes = (element) =>
  setInterval(() => {
    for (const time of element.querySelectorAll("time")) time.textContent = ago(time.dateTime);
  }, MINUTE_MS);

// ---- photos

const THUMBNAIL = 176;

/** Draws the middle of a photo, upright, into the canvas. */
export const thumbnail = (canvas, file) => settle(drawThumbnail(canvas, file));

async function drawThumbnail(canvas, file) {
  const whole = await createImageBitmap(file, { imageOrientation: "from-image" });
  const side = Math.min(whole.width, whole.height);
  const left = Math.floor((whole.width - side) / 2);
  const top = Math.floor((whole.height - side) / 2);
  const size = { resizeWidth: THUMBNAIL, resizeHeight: THUMBNAIL, resizeQuality: "medium" };
  const middle = await createImageBitmap(whole, left, top, side, side, size);
  whole.close();
  canvas.width = THUMBNAIL;
  canvas.height = THUMBNAIL;
  canvas.getContext("bitmaprenderer").transferFromImageBitmap(middle);
}

/** What a file is by its first bytes, whatever its name says: "heic", "pdf", … or "". */
export async function kindOf(file) {
  let head;
  try {
    head = new Uint8Array(await file.slice(0, 32).arrayBuffer());
  } catch {
    return file.type || file.size ? "unreadable" : "folder";
  }
  if (!head.length) return "empty";
  const text = String.fromCharCode(...head);
  if (text.slice(4, 8) === "ftyp") {
    const brand = text.slice(8, 12);
    if (/avi[fs]/.test(brand)) return "avif";
    return /hei|hev|mif1|msf1/.test(brand) ? "heic" : "video";
  }
  const known = SIGNATURES.find(([start]) => text.startsWith(start));
  if (known) return known[1];
  if (/^\s*<(\?xml|svg|!doctype svg)/i.test(text)) return "svg";
  return head.every((byte) => byte > 8 && byte !== 127) ? "text" : "";
}

const SIGNATURES = [
  ["\xff\xd8\xff", "jpeg"],
  ["\x89PNG", "png"],
  ["GIF8", "gif"],
  ["RIFF", "webp"],
  ["%PDF", "pdf"],
  ["PK\x03\x04", "zip"],
  ["II*\0", "tiff"],
  ["MM\0*", "tiff"],
  ["\0\0\x01\0", "icon"],
  ["8BPS", "photoshop"],
  ["\xff\x0a", "jxl"],
  ["\0\0\0\x0cJXL", "jxl"],
  ["ID3", "audio"],
  ["OggS", "audio"],
  ["fLaC", "audio"],
  ["\x1aE\xdf\xa3", "video"],
];

/** A photo that ships with the page, as a file. */
export const fetchFile = (url, name) =>
  settle(
    fetch(new URL(url, document.baseURI)).then(async (response) => {
      if (!response.ok) throw new Error(`the host answered ${response.status}`);
      const blob = await response.blob();
      return new File([blob], name, { type: blob.type });
    }),
  );

// ---- camera

export const hasCamera = () => Boolean(navigator.mediaDevices?.getUserMedia);

export const openCamera = (video) => settle(startCamera(video));

async function startCamera(video) {
  const wish = { facingMode: { ideal: "environment" }, width: { ideal: 1280 } };
  const stream = await navigator.mediaDevices.getUserMedia({ video: wish, audio: false });
  video.srcObject = stream;
  await video.play();
}

export function closeCamera(video) {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
}

export const takePhoto = (video, name) => settle(grab(video, name));

async function grab(video, name) {
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  canvas.getContext("2d").drawImage(video, 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
  return new File([blob], name, { type: blob.type, lastModified: Date.now() });
}

export const showDialog = (dialog) => dialog.open || dialog.showModal();

// ---- files to keep

export function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** JSON as people read it; MicroPython's own has no indentation. */
export const indented = (json) => `${JSON.stringify(JSON.parse(json), null, 2)}\n`;

/** Today, as people sort files by it: 2026-11-25. */
export function today() {
  const now = new Date();
  const two = (n) => String(n).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

// ---- views

export const address = () => location.hash.slice(1);

export const onAddress = (handler) => addEventListener("hashchange", () => handler());

export function go(address) {
  location.hash = address;
}

export const toTop = () => scrollTo(0, 0);

// ---- drawing

const SVG = "http://www.w3.org/2000/svg";

export const svgElement = (tag) => document.createElementNS(SVG, tag);
