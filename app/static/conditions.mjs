/**
 * How the device is doing, as far as the main thread alone can see it, in the browser's own words:
 * `satchel/platform/navigator.py` knows them. A worker sees the rest itself.
 *
 * Every source may be missing: https://wicg.github.io/netinfo/, https://w3c.github.io/battery/.
 */

/** Between two tellings: a sensor may change a hundred times a second. */
const EVERY_MS = 250;

const BATTERY = ["level", "charging", "chargingTime", "dischargingTime"];

/** Whether what is fetched may cost somebody money. */
export function metered() {
  const { connection } = navigator;
  return Boolean(connection?.saveData || connection?.type === "cellular");
}

function reading(battery) {
  const { connection, deviceMemory, hardwareConcurrency, onLine } = navigator;
  return {
    hardwareConcurrency,
    deviceMemory,
    onLine,
    effectiveType: connection?.effectiveType,
    type: connection?.type,
    saveData: connection?.saveData,
    ...Object.fromEntries(BATTERY.map((name) => [name, battery?.[name]])),
    visibility: document.visibilityState,
  };
}

/**
 * Tells the engine, each time it has been started and rests, and at each change: at once, then
 * every `EVERY_MS` at most.
 *
 * @param {(tell: () => void) => void} onRest
 * @param {(conditions: object) => Promise<unknown>} send
 */
export function tellConditions(onRest, send) {
  let told = null; // as text; null: there is nobody yet who would hear it
  let battery;
  let pause = null;
  let again = false;

  function tell() {
    if (told === null) return;
    const now = reading(battery);
    if (told === JSON.stringify(now)) return;
    told = JSON.stringify(now);
    send(now);
  }

  function changed() {
    again = pause !== null;
    if (again) return;
    tell();
    pause = setTimeout(() => {
      pause = null;
      if (again) changed();
    }, EVERY_MS);
  }

  async function watchBattery() {
    battery = (await navigator.getBattery?.().catch(() => null)) ?? null;
    for (const name of BATTERY) battery?.addEventListener(`${name.toLowerCase()}change`, changed);
    changed();
  }

  onRest(() => {
    told = "";
    tell();
    if (battery === undefined) watchBattery();
  });
  for (const event of ["online", "offline"]) addEventListener(event, changed);
  document.addEventListener("visibilitychange", changed);
  navigator.connection?.addEventListener?.("change", changed);
}
