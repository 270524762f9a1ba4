/**
 * The page's first script: starts the workers while everything else is still on its way.
 *
 * It offers `globalThis.satchel` to the interface (and to anyone's console): the site's
 * description, the engine, and what happened so far.
 */
import { features, threads } from "../satchel/platform/browser/features.mjs";
import { metered } from "./conditions.mjs";
import { Intake } from "./early.mjs";
import { Engines } from "./engines.mjs";
import { Kept } from "./keeping.mjs";
import { Engine } from "./link.mjs";
import { Offline } from "./offline.mjs";
import { Signals } from "./signals.mjs";

/** How long the engine waits at most for an interface that doesn't come. */
const INTERFACE_MS = 10_000;
/** The engine rests when nobody has asked it anything for so long. */
const CALM_MS = 1000;

const site = JSON.parse(document.getElementById("site").textContent);
const scope = new URL("./", document.baseURI).pathname;

const isolated = threads();
const first = !navigator.serviceWorker?.controller;
const costs = metered();

const engines = new Engines(site, features(), document.baseURI);
// What a model costs is what this device's variant of it costs.
for (const model of site.models) model.bytes = engines.variant(model).bytes;

const signals = new Signals();
const early = new Intake();
const kept = new Kept(site, document.baseURI);
const offline = new Offline(signals, kept, reloadForIsolation);
const engine = new Engine(site, { first, isolated }, engines, offline, signals);

globalThis.satchel = {
  site,
  engine,
  early,
  engines,
  parts: [...site.parts, engines.part(engine.firstEngine)],
  first,
  isolated,
  metered: costs,
  on: (event, listener) => signals.on(event, listener),
  start: () => engine.start(),
  stop: (reason) => engine.stop(reason),
  update: () => offline.update(),
  needEngines: (names) => offline.need(names.flatMap((name) => engines.files(name))),
};

keepBuild();
signals.on("phase", async ({ phase }) => {
  // Also when it failed: the service worker gets files anew that came spoilt, and verifies them.
  if (phase !== "ready" && phase !== "failed") return;
  // On a first visit it fetches what is not needed yet: the model comes before that.
  if (first && phase === "ready") await engine.calm(CALM_MS);
  await offline.register();
  offline.tidy();
});
begin();

/**
 * What is kept already costs nothing. Else the interface, which is small, comes before the engine,
 * which is not; and on a metered connection the engine waits for consent.
 */
async function begin() {
  if (first && costs) return;
  if (first) await Promise.race([early.taken, new Promise((go) => setTimeout(go, INTERFACE_MS))]);
  engine.start(0);
}

/**
 * On a host that sends no headers the service worker adds them, from the next load on. That load
 * is worth having now, unless the person has begun, or it was tried before and did not help.
 */
async function reloadForIsolation() {
  const tried = `satchel:${scope}:reloaded`;
  if (crossOriginIsolated) return;
  await engine.idle(); // a download that is under way comes first
  if (early.touched) return;
  try {
    if (sessionStorage.getItem(tried)) return;
    sessionStorage.setItem(tried, "yes");
  } catch {
    return; // Without a memory of it, it might reload for ever.
  }
  location.reload();
}

/** As long as this tab lives, the files of its build stay: `tidy` spares builds with a holder. */
function keepBuild() {
  const name = `satchel:${scope}:build:${site.build}`;
  navigator.locks?.request(name, { mode: "shared" }, () => new Promise(() => {}));
}
