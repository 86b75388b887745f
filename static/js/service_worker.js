// Starts the page without the server: keeps its shell, and nothing else. What is live and what is private never passes here.
// A line before this text, when it is served, sets `self.PAGE`.

const worker = /** @type {ServiceWorkerGlobalScope & {PAGE: {root: string, version: string, shell: string[]}}} */ (/** @type {unknown} */ (self));
const { PAGE } = worker;
const CACHE = `chat ${PAGE.root} ${PAGE.version}`;
const HOME = `${PAGE.root}/`;

worker.addEventListener('install', (event) => event.waitUntil(keepShell()));

worker.addEventListener('activate', (event) => event.waitUntil(dropOthers().then(() => worker.clients.claim())));

// The page asks for it when its user agrees to reload.
worker.addEventListener('message', (event) => {
  if (event.data === 'take over') worker.skipWaiting();
});

// Of a notification that it shows where pages may not.
worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(lookAtThePage());
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== worker.location.origin) return;
  if (PAGE.shell.includes(url.pathname)) event.respondWith(fromCache(request, request));
  else if (request.mode === 'navigate' && isPage(url)) event.respondWith(fromCache(HOME, request));
});

async function lookAtThePage() {
  const [page] = await worker.clients.matchAll({ type: 'window' });
  await (page ? page.focus() : worker.clients.openWindow(HOME));
}

/**
 * The page itself at any of its addresses; forms without scripts and the oldest browsers' page go to the server.
 * @param {URL} url
 */
function isPage(url) {
  const path = url.pathname.slice(PAGE.root.length);
  return url.pathname.startsWith(HOME) && (path === '/' || path.startsWith('/rooms/')) && url.searchParams.get('transport') !== 'poll';
}

async function keepShell() {
  const cache = await caches.open(CACHE);
  // The page itself anew; its files never change under their addresses, so what the browser has of them will do.
  await cache.put(HOME, await ownPage());
  await cache.addAll(PAGE.shell);
}

/** Something on the way may have put its own page there, one to sign in for example: that must not be kept. */
async function ownPage() {
  const answer = await fetch(HOME, { cache: 'reload', redirect: 'error' });
  if (!answer.ok || !(await answer.clone().text()).includes('name="chat-root"')) throw new Error('not the page');
  return answer;
}

async function dropOthers() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(`chat ${PAGE.root} `) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

/**
 * @param {Request | string} key
 * @param {Request} request
 */
async function fromCache(key, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(key)) ?? fetch(request);
}
