// A model that lies in IndexedDB after the first visit.

/** @param {string} url @returns {Promise<Uint8Array>} */
export async function model(url) {
  const database = await opened();
  const kept = await settled(database.transaction("models").objectStore("models").get(url));
  const blob = kept ?? (await (await fetch(url)).blob());
  if (!kept) {
    const store = database.transaction("models", "readwrite").objectStore("models");
    await settled(store.put(blob, url));
  }
  return new Uint8Array(await blob.arrayBuffer());
}

function opened() {
  const request = indexedDB.open("bench", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("models");
  return settled(request);
}

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
