// One browser has one cookie, hence one user: tabs tell each other who that is.

// page/early.js looks for one that begins like this.
const KEY = 'chat-user';

/**
 * @typedef {object} OneUser
 * @property {string} known who was signed in here last; '' for nobody
 * @property {(userId: string) => void} tell who is signed in here now; '' for nobody
 * @property {(changed: (userId: string) => void) => void} listen calls back when another tab has told
 */

/**
 * The `storage` event fires in every tab but the one that wrote.
 * @param {Storage | null} storage null where the browser blocks it: then each tab is alone
 * @param {Pick<Window, 'addEventListener'>} window
 * @returns {OneUser}
 */
export function oneUser(storage, window) {
  return {
    get known() {
      try {
        return storage?.getItem(KEY) ?? '';
      } catch {
        return '';
      }
    },
    tell: (userId) => {
      try {
        if (storage?.getItem(KEY) !== userId) storage?.setItem(KEY, userId);
      } catch {
        // Full or blocked: the page works without it.
      }
    },
    listen: (changed) =>
      window.addEventListener('storage', (event) => {
        if (/** @type {StorageEvent} */ (event).key === KEY) changed(/** @type {StorageEvent} */ (event).newValue ?? '');
      }),
  };
}
