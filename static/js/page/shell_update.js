// Keeps the page's shell for days without a network, and asks before another version takes its place.

const LOOK_AGAIN_MS = 3_600_000; // an open page hears of a new version within the hour

/**
 * Something between the page and the server answers instead of it, and wants to be seen: a form to sign in, perhaps. What
 * the worker keeps would stand before it for ever.
 * @param {ServiceWorkerContainer | undefined} workers
 * @param {() => void} reload
 * @returns {Promise<boolean>} whether the page is loaded anew
 */
export async function leaveShell(workers, reload) {
  if (!workers?.controller) return false;
  for (const registration of await workers.getRegistrations()) await registration.unregister();
  reload();
  return true;
}

/**
 * @param {object} parts
 * @param {ServiceWorkerContainer | undefined} parts.workers missing at addresses without TLS
 * @param {string} parts.root
 * @param {(reload: () => void) => void} parts.ask shows that there is a new version; `reload` takes it
 * @param {() => void} parts.reload
 */
export async function keepShell({ workers, root, ask, reload }) {
  if (!workers) return;
  try {
    const registration = await workers.register(`${root}/service_worker.js`, { scope: `${root}/`, updateViaCache: 'none' });
    if (registration.waiting && workers.controller) offer(registration.waiting);
    registration.addEventListener('updatefound', () => watch(registration.installing));
    setInterval(() => void registration.update().catch(() => {}), LOOK_AGAIN_MS);
  } catch (error) {
    console.warn('the page is not kept for offline use:', error); // blocked, or a private window
  }

  /** @param {ServiceWorker | null} worker */
  function watch(worker) {
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed' && workers?.controller) offer(worker);
    });
  }

  /** @param {ServiceWorker} worker */
  function offer(worker) {
    ask(() => {
      workers?.addEventListener('controllerchange', reload, { once: true });
      worker.postMessage('take over');
    });
  }
}
