// A message that is deleted before it was sent waits in other tabs, too: each tells the others.

const KEY = 'chat-discarded';

/**
 * @typedef {object} Discarded
 * @property {(localId: string) => void} tell
 * @property {(heard: (localId: string) => void) => void} listen calls back for what another tab has told
 */

/**
 * The `storage` event fires in every tab but the one that wrote.
 * @param {Storage | null} storage null where the browser blocks it: then another tab may still send it
 * @param {Pick<Window, 'addEventListener'>} window
 * @returns {Discarded}
 */
export function discarded(storage, window) {
  return {
    tell: (localId) => {
      try {
        storage?.setItem(KEY, localId);
      } catch {
        // Full: as if it were blocked.
      }
    },
    listen: (heard) =>
      window.addEventListener('storage', (event) => {
        const { key, newValue } = /** @type {StorageEvent} */ (event);
        if (key === KEY && newValue) heard(newValue);
      }),
  };
}
