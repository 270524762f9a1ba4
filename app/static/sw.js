/**
 * The service worker: keeps the page's files for use without a network, one cache per build.
 *
 * - Workbox precaches the list that the build wrote in (`self.__SATCHEL`); every entry carries its
 *   integrity, so a download that was cut makes the install fail and the old build stays.
 * - Files that an older build already has alike are copied, not fetched.
 * - Inference engines are kept when a page says that it uses them (`keep`), each file for itself; a
 *   newer build keeps on keeping them.
 * - Where the browser can, it answers from this build's cache without starting this worker.
 * - Large parts are stored expanded, under the URL of what travels: a warm start compiles them as
 *   they come out of the cache.
 * - Isolation headers and the content security policy are added once, when HTML and scripts are
 *   stored, so hosts that send no headers serve threads too.
 * - An open tab never loses its files: each page holds a shared lock on its build's name, and only
 *   builds that nobody holds are deleted (`tidy`).
 * - Other sites may live on this origin: nothing outside our own scope's caches is touched.
 */
import { PrecacheController, PrecacheRoute } from "workbox-precaching";
import { registerRoute } from "workbox-routing";
import { counted } from "./counted.mjs";
import { expanded } from "./expand.mjs";

const { build, entries, engines, headers } = self.__SATCHEL;

const scope = new URL(self.registration.scope);
const BUILDS = `satchel:${scope.pathname}:build:`;
/** Folders whose names carry their content's hash: only these may be answered by an older build. */
const IMMUTABLE = ["assets/", "runtime/", "wheels/"];

/** Python's snapshot: its expanded copy lies in the origin's private file system. */
const STAYS_PACKED = /\.snapshot\.zst$/;

/** Files that came otherwise than built: the browser's HTTP cache may hold them so for a year. */
const spoilt = new Set();

/** Stores a list of files in this build's cache, as Workbox does it; `tell` hears of bytes. */
function controllerOf(list, tell) {
  const controller = new PrecacheController({
    cacheName: BUILDS + build,
    plugins: [
      {
        cacheWillUpdate: async ({ request, response }) =>
          response.ok
            ? dressed(stored(tell ? counted(response, tell) : response, request.url))
            : null,
        fetchDidFail: async ({ originalRequest }) => void spoilt.add(originalRequest.url),
        requestWillFetch: async ({ request }) => new Request(request, { cache: asked(request) }),
      },
    ],
  });
  controller.addToCacheList(list);
  return controller;
}

const controller = controllerOf(entries);

/**
 * How to fetch a file. Where Workbox would fetch past the HTTP cache, since the name stays when the
 * content changes, it is enough to ask the host whether it did.
 */
function asked(request) {
  if (spoilt.has(request.url)) return "reload";
  return request.cache === "reload" ? "no-cache" : request.cache;
}

// Whatever stands behind "?" is for the page's own scripts: the file is the same.
registerRoute(
  new PrecacheRoute(controller, {
    ignoreURLParametersMatching: [/.*/],
    directoryIndex: "index.html",
    cleanURLs: false,
  }),
);
registerRoute(
  ({ url }) =>
    url.origin === scope.origin &&
    url.pathname.startsWith(scope.pathname) &&
    IMMUTABLE.some((folder) => url.pathname.slice(scope.pathname.length).startsWith(folder)),
  async ({ request }) => (await fromSomeBuild(request.url)) ?? fetch(request),
);

self.addEventListener("install", (event) => {
  event.addRoutes?.(straightFromCache());
  event.waitUntil(install());
});

self.addEventListener("activate", (event) => {
  // A first visit is controlled at once; an update changes hands only when a page asked for it.
  event.waitUntil(self.clients.claim().then(tidy));
});

self.addEventListener("message", (event) => {
  const [port] = event.ports;
  switch (event.data?.type) {
    case "skip-waiting":
      self.skipWaiting();
      break;
    case "tidy":
      event.waitUntil(tidy());
      break;
    case "status":
      event.waitUntil(status(event.data.files).then((answer) => port?.postMessage(answer)));
      break;
    case "keep":
      event.waitUntil(keep(event.data.files, port));
      break;
  }
});

/** The site's pages: [path of the file, URL that people open]. */
const pages = entries
  .filter(({ url }) => url.endsWith(".html"))
  .map(({ url }) => [url, new URL(url.replace(/(^|\/)index\.html$/, "$1"), scope).href]);

/**
 * What a browser can take out of this build's cache without starting this worker (static routing,
 * https://w3c.github.io/ServiceWorker/#routing): pages, and files whose names carry their content's
 * hash. What isn't there (an engine that isn't kept) comes from the network. An older build's files
 * aren't among them: `fromSomeBuild` finds those.
 */
function straightFromCache() {
  const exactly = (href, more) => {
    const pathname = new URL(href, scope).pathname.replace(/[.*+?{}():\\]/g, "\\$&");
    return { urlPattern: new URLPattern({ pathname, ...more }) };
  };
  const files = [...entries, ...engines].filter(({ revision }) => revision === null);
  const conditions = [
    ...files.map(({ url }) => exactly(url)),
    ...pages.map(([, href]) => ({ ...exactly(href, { search: "" }), requestMode: "navigate" })),
  ];
  return conditions.map((condition) => ({ condition, source: { cacheName: BUILDS + build } }));
}

/** Stores the pages under their own addresses, where a static route looks for them. */
async function putPages() {
  const mine = await caches.open(BUILDS + build);
  for (const [url, href] of pages) await mine.put(href, await controller.matchPrecache(url));
}

/** The form in which a file is kept. */
const stored = (response, url) =>
  STAYS_PACKED.test(new URL(url).pathname) ? response : expanded(response, url);

/** Adds isolation and policy to what can start a page or a worker; the rest stays as it came. */
function dressed(response) {
  const type = response.headers.get("content-type") ?? "";
  if (!/html|javascript/.test(type)) return response;
  const all = new Headers(response.headers);
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
  return new Response(response.body, {
    status: response.status,
    statusText: response.statusText,
    headers: all,
  });
}

/** The names of our scope's caches other than this build's own. */
async function otherBuilds() {
  const names = await caches.keys();
  return names.filter((name) => name.startsWith(BUILDS) && name !== BUILDS + build);
}

/** What a cache of ours has under a name that carries its hash, this build's own first. */
async function fromSomeBuild(url) {
  const mine = await caches.open(BUILDS + build);
  return (await mine.match(url, { ignoreSearch: true })) ?? fromOlderBuild(url);
}

async function fromOlderBuild(url, options = { ignoreSearch: true }) {
  for (const name of (await otherBuilds()).reverse()) {
    const found = await (await caches.open(name)).match(url, options);
    if (found) return found;
  }
  return undefined;
}

/** Takes over what an older build verified under the same hashed name, or as of the same revision. */
async function copyFromOlderBuilds(controller) {
  const names = await otherBuilds();
  if (names.length === 0) return;
  const mine = await caches.open(BUILDS + build);
  for (const key of controller.getURLsToCacheKeys().values()) {
    if (await mine.match(key)) continue;
    const found = await fromOlderBuild(key, {});
    if (found) await mine.put(key, dressed(found));
  }
}

/** The engines' files that an older build keeps, in its own version of them. */
async function keptByOlderBuilds() {
  const names = new Set();
  for (const name of await otherBuilds()) {
    for (const { url } of await (await caches.open(name)).keys()) names.add(withoutHash(url));
  }
  return engines.filter(({ url }) => names.has(withoutHash(new URL(url, scope).href)));
}

/** An engine's file is called the same in every build, but for the hash in its folder's name. */
const withoutHash = (url) => url.replace(/-[0-9a-f]+(\/[^/]+)$/, "$1");

/** Fetches what is missing; a file that fails gets a second try, past the HTTP cache. */
async function fetchAll(controller) {
  // Workbox hands each try to `waitUntil`, and one that fails would be the end of the install.
  const attempt = { type: "install", waitUntil() {} };
  for (;;) {
    const before = spoilt.size;
    try {
      return await controller.install(attempt);
    } catch (error) {
      if (spoilt.size === before) throw error;
    }
  }
}

/** Stores every file, or tells the pages why not: the browser itself only says "redundant". */
async function install() {
  try {
    const kept = controllerOf(await keptByOlderBuilds());
    for (const one of [controller, kept]) {
      await copyFromOlderBuilds(one);
      await fetchAll(one);
    }
    await putPages();
  } catch (error) {
    const reason = `Not every file of the page could be kept: ${error.message}`;
    for (const page of await self.clients.matchAll({ includeUncontrolled: true })) {
      if (page.url.startsWith(scope.href)) page.postMessage({ type: "install-failed", reason });
    }
    throw error;
  }
}

/** Stores those of the engines' files that a page is about to use, and tells it how far it is. */
async function keep(files, port) {
  let received = 0;
  const wanted = controllerOf(among(files), (bytes) => {
    received += bytes;
    port?.postMessage({ received });
  });
  try {
    await copyFromOlderBuilds(wanted);
    await fetchAll(wanted);
    port?.postMessage({});
  } catch (error) {
    const problem = `Not every file of the inference engine could be kept: ${error.message}`;
    port?.postMessage({ problem });
  }
}

/** The engines' files with these URLs; another build's aren't ours to keep. */
const among = (files) => engines.filter(({ url }) => files.includes(new URL(url, scope).href));

/** Counts what is really there, of the page and of the engines that it uses: browsers may evict. */
async function status(files = []) {
  const mine = await caches.open(BUILDS + build);
  const stored = new Set((await mine.keys()).map(({ url }) => url));
  const used = among(files).map(({ url }) => new URL(url, scope).href);
  const wanted = [...controller.getURLsToCacheKeys().values(), ...used];
  const missing = wanted.filter((key) => !stored.has(key));
  return { build, complete: missing.length === 0, missing };
}

/**
 * Deletes our own builds that no open tab runs.
 *
 * It waits for a better moment while a newer worker is being installed (its cache must stay), and
 * while some page hasn't taken its lock yet (nobody knows which build it runs).
 */
async function tidy() {
  if (self.registration.installing || self.registration.waiting) return;
  if (!navigator.locks) return;
  const { held, pending } = await navigator.locks.query();
  const locks = [...held, ...pending]
    .map(({ name }) => name)
    .filter((name) => name.startsWith(BUILDS));
  const pages = await self.clients.matchAll({ type: "window" });
  if (pages.length > locks.length) return;
  for (const name of await otherBuilds()) {
    if (!locks.includes(name)) await caches.delete(name);
  }
}
