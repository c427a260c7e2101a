/**
 * The service worker: keeps the pages of the client, so that what was read can be read offline (row A04).
 *
 * A page comes from the server when that answers, else from the cache.  What a page names under /assets/ never
 * changes, so it comes from the cache first; what neither the newest page nor its scripts name any more is forgotten.
 */
const worker = globalThis as unknown as ServiceWorkerGlobalScope;

const CACHE = "veche";
const PAGE = "/";

worker.addEventListener("install", (event) => {
  event.waitUntil(
    fetch(PAGE, { cache: "no-cache" })
      .then(keepPage)
      .then(() => worker.skipWaiting()),
  );
});

worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const isOurs = url.origin === worker.location.origin && !url.pathname.startsWith("/files/");
  if (request.method !== "GET" || !isOurs) return;
  if (request.mode === "navigate") event.respondWith(fromServer(request));
  else if (url.pathname.startsWith("/assets/")) event.respondWith(fromCache(request));
});

/** Keep a page, all that it names, and what its scripts name if that was fetched once; nothing else. */
async function keepPage(page: Response): Promise<void> {
  if (!page.ok) return;
  const cache = await caches.open(CACHE);
  const named = new Set((await page.clone().text()).match(/\/assets\/[\w.-]+/g));
  await cache.put(PAGE, page);
  await Promise.all([...named].map(async (url) => (await cache.match(url)) ?? cache.add(url)));
  for (const url of [...named].filter((one) => one.endsWith(".js"))) {
    const script = (await (await cache.match(url))?.text()) ?? "";
    for (const [, name] of script.matchAll(/(?:\.|assets)\/([\w.-]+\.\w+)/g)) named.add(`/assets/${name}`);
  }
  for (const { url } of await cache.keys()) {
    const { pathname } = new URL(url);
    if (pathname !== PAGE && !named.has(pathname)) await cache.delete(url);
  }
}

async function fromServer(request: Request): Promise<Response> {
  try {
    const page = await fetch(request);
    if (page.headers.get("Content-Type")?.startsWith("text/html")) void keepPage(page.clone()).catch(() => {});
    return page;
  } catch {
    return (await caches.match(PAGE)) ?? Response.error();
  }
}

async function fromCache(request: Request): Promise<Response> {
  const kept = await caches.match(request, { ignoreVary: true });
  if (kept !== undefined) return kept;
  const asset = await fetch(request);
  if (asset.ok) await (await caches.open(CACHE)).put(request, asset.clone());
  return asset;
}
