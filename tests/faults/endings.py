"""Ends of a page, a worker, a browser at a chosen step of an update; a look at what is left."""

from __future__ import annotations

import contextlib

import psutil

ON_THE_WAY = """async ([model, step, how, reached]) => {
  // Acts in the very turn in which the engine says that it is there.
  const end = {
    closed: () => close(),
    ended: () => satchel.stop("for the test"),
    killed: () => fetch(reached),
  }[how];
  const library = async () => {
    const { held } = await navigator.locks.query();
    return held.map(({ name }) => name).find((name) => name.startsWith("satchel:")
      && name.endsWith(":updater")).replace(/updater$/, "library");
  };
  const wait = async () => {
    // The commit that activates waits for this lock: held here, it is just about to happen.
    const name = await library();
    let release;
    const held = new Promise((resolve) => { release = resolve; });
    await new Promise((granted) => {
      navigator.locks.request(name, () => { granted(); return held; });
    });
    for (;;) {
      const { pending } = await navigator.locks.query();
      if (pending.some((request) => request.name === name)) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (step === "before activating") {
      end();
      // A page that is closing takes its time: what it holds goes with it.
      if (how === "ended") release();
      return;
    }
    release();
    end();
  };
  let seen = false;
  const onProgress = ({ phase }) => {
    const when = ["before activating", "activating"].includes(step) ? "validating" : step;
    if (seen || phase !== when) return;
    seen = true;
    globalThis.reached = step;
    if (when === step) end();
    else wait();
  };
  const fetched = satchel.engine.call("fetch", [model], { onProgress });
  fetched.then(() => { globalThis.over = "done"; }, ({ name }) => { globalThis.over = name; });
}"""
"""JavaScript: begin to fetch, and end the page (how) at a step."""

WHOLE = """async ([model, truth]) => {
  const hex = (buffer) => [...new Uint8Array(buffer)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const sha256 = async (blob) => hex(
    await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  const path = new URL(".", location.href).pathname;
  const { name } = (await indexedDB.databases())
    .find(({ name }) => name.startsWith(`satchel:${path}`));
  const settled = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const database = await settled(indexedDB.open(name));
  const all = async (table) => {
    const store = database.transaction(table).objectStore(table);
    const keys = settled(store.getAllKeys()), values = settled(store.getAll());
    return (await keys).map(async (key, index) => [key, (await values)[index]]);
  };
  const problems = [];
  const blobs = new Set();
  for (const entry of await all("blobs")) {
    const [key, value] = await entry;
    blobs.add(key);
    if (await sha256(value) !== key) problems.push(`blob ${key} is not what its name says`);
  }
  let parts = 0;
  for (const entry of await all("parts")) {
    const [[digest, start], value] = await entry;
    parts += value.size;
    const right = await (await fetch(truth + digest, { cache: "no-store" })).blob();
    const wanted = await sha256(right.slice(start, start + value.size));
    if (await sha256(value) !== wanted) problems.push(`a part of ${digest} is wrong`);
  }
  const models = [];
  for (const entry of await all("models")) models.push(JSON.parse((await entry)[1]));
  database.close();
  if (models.length !== 1 || models[0].model !== model) problems.push("not exactly one model");
  for (const { active, versions } of models) {
    const found = versions.filter(({ release }) => release.version === active);
    if (found.length !== 1) problems.push(`${found.length} records of the active ${active}`);
    for (const { release } of found)
      for (const { blob, files } of release.platforms.browser)
        for (const { sha256 } of [blob, ...Object.values(files)])
          if (!blobs.has(sha256)) problems.push(`${sha256} of ${active} is missing`);
  }
  return { active: models[0]?.active, problems, parts };
}"""
"""JavaScript: look into the store, without the engine."""


def processes(profile) -> list[psutil.Process]:
    """The browser that runs on this profile, and all that it started."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if any(str(profile) in word for word in process.cmdline()):
                found += [process, *process.children(recursive=True)]
    assert found
    return found


def kill(found: list[psutil.Process]) -> None:
    """End processes with signal 9."""
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(found, timeout=10)


def alive(found: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run, after they had a moment to end."""
    _, left = psutil.wait_procs(found, timeout=10)
    running = []
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                running.append(process)
    return running
