// Whether any tab of this user is being looked at: each one that is holds a shared lock, which ends with it.

/**
 * @param {string} name
 * @param {LockManager | undefined} locks
 * @param {Document} document
 * @returns {() => Promise<boolean>}
 */
export function seenSomewhere(name, locks, document) {
  if (!locks) return async () => !document.hidden;
  /** @type {(() => void) | null} */
  let release = null;
  const hold = () => {
    if (document.hidden) release?.();
    if (document.hidden || release) return;
    void locks.request(name, { mode: 'shared' }, () => new Promise((resolve) => {
      release = () => { release = null; resolve(undefined); };
      if (document.hidden) release();
    }));
  };
  document.addEventListener('visibilitychange', hold);
  hold();
  return async () => ((await locks.query()).held ?? []).some((lock) => lock.name === name);
}
