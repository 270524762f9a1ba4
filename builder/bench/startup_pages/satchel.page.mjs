// Satchel's own page, given a photo (or a text) as early as a visitor could: runs right after boot.mjs.
import { answered, facts, failed, photo } from "./report.mjs";

const { engine, on, site } = globalThis.satchel;

const ask = () =>
  facts.task === "label"
    ? engine.call("label", [photo(), 5]).then(({ predictions }) => best(predictions))
    : engine.call("embed", [facts.text]).then(({ vectors }) => Array.from(vectors));

const best = ([{ index, label }]) => ({ index, label });

/** A first visit: the model is fetched, and the service worker, where there is one, keeps the rest. */
async function prepare() {
  for (const { id } of site.models) await engine.call("install", [id]);
  const settled = ["yes", "failed"];
  await new Promise((done) => on("offline", ({ state }) => settled.includes(state) && done()));
  return ask();
}

/** How the engine was started, and when it had got how far; read after the answer. */
async function more() {
  const { boot, threads } = await engine.call("status");
  return { boot, engineThreads: threads, phases: { ...phases, ...(await timeline()) } };
}

const phases = {};
on("phase", ({ phase, ms }) => {
  phases[phase] = ms;
});

/** What the workers noted, where they do (timeline.mjs), on the page's clock. */
async function timeline() {
  if (!facts.traced) return {};
  const channel = new BroadcastChannel("bench");
  const told = {};
  const heard = new Set();
  await new Promise((all) => {
    channel.onmessage = ({ data: { worker, noted } }) => {
      const name = worker.replace("satchel ", "").replace("_worker", "");
      for (const [what, ms] of noted) told[`${name}: ${what}`] ??= ms - performance.timeOrigin;
      if (heard.add(name).size === 2) all();
    };
    channel.postMessage("timeline");
  });
  channel.close();
  return told;
}

const preparing = new URL(location).searchParams.has("prepare");
(preparing ? prepare() : ask()).then((answer) => answered(answer, more)).catch(failed);
