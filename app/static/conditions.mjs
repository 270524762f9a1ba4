/**
 * How the device is doing, as far as a worker can't see it.
 *
 * Every source may be missing: https://wicg.github.io/netinfo/, https://w3c.github.io/battery/.
 */

/** Whether what is fetched may cost somebody money. */
export function metered() {
  const { connection } = navigator;
  return Boolean(connection?.saveData || connection?.type === "cellular");
}

/**
 * Tells the engine, each time it has been started and rests, and at each change.
 *
 * @param {(tell: () => void) => void} onRest
 * @param {(conditions: object) => Promise<unknown>} send
 */
export async function tellConditions(onRest, send) {
  let told = null; // as text; null: there is nobody yet who would hear it
  let battery = null;

  function tell() {
    if (told === null) return;
    const now = {
      online: navigator.onLine,
      metered: metered(),
      save_data: Boolean(navigator.connection?.saveData),
      battery_level: battery?.level ?? null,
      charging: battery?.charging ?? null,
      visible: document.visibilityState === "visible",
    };
    if (told === JSON.stringify(now)) return;
    told = JSON.stringify(now);
    send(now);
  }

  onRest(() => {
    told = "";
    tell();
  });
  for (const event of ["online", "offline"]) addEventListener(event, tell);
  document.addEventListener("visibilitychange", tell);
  navigator.connection?.addEventListener?.("change", tell);
  battery = await navigator.getBattery?.().catch(() => null);
  for (const event of ["levelchange", "chargingchange"]) battery?.addEventListener(event, tell);
  tell();
}
