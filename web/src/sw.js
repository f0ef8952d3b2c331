// The service worker: the page is kept on this device, so that it opens without a connection, and
// comes with the headers that let wasm use several threads.

/** @type {any} */
const worker = self;
// The build writes these in: the files of the page, and a name that changes with any of them.
const FILES = /** @type {string[]} */ (/** @type {any} */ (globalThis).PAGE_FILES ?? []);
const STORE = `stemzoo-page-${/** @type {any} */ (globalThis).PAGE_VERSION ?? ""}`;
const PAGES = "stemzoo-page-";
const MODEL = /\.onnx$/; // kept by the page itself, with its sha256 checked
const CHANGES = /\/(index\.json|.*\.npy)$/; // what another day may bring

worker.addEventListener("install", (/** @type {any} */ event) => {
  event.waitUntil(keep().then(() => worker.skipWaiting()));
});
worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(forgetOthers().then(() => worker.clients.claim()));
});
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const where = new URL(request.url);
  if (request.method !== "GET" || where.origin !== location.origin || MODEL.test(where.pathname)) return;
  event.respondWith(answer(request, where).then(isolated));
});

async function keep() {
  const store = await caches.open(STORE);
  await store.addAll(FILES.map((file) => new Request(file, { cache: "reload" })));
}

async function forgetOthers() {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(PAGES) && name !== STORE).map((name) => caches.delete(name)),
  );
}

/**
 * @param {Request} request
 * @param {URL} where
 */
async function answer(request, where) {
  const store = await caches.open(STORE);
  const kept = await store.match(request, { ignoreSearch: true });
  if (kept && !CHANGES.test(where.pathname)) return kept;
  try {
    const found = await fetch(request);
    if (found.ok) await store.put(request, found.clone());
    return found;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

/** @param {Response} response */
function isolated(response) {
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  const { status, statusText } = response;
  return new Response(status === 204 || status === 304 ? null : response.body, { status, statusText, headers });
}
